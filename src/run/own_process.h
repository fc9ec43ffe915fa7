// A process for one job: a keeper and its step, forked when the job is launched.
#pragma once

#include "run/fork_server.h"
#include "run/job_process.h"
#include "run/keeper_link.h"

namespace lo::run {

class OwnProcess final : public JobProcess, public std::enable_shared_from_this<OwnProcess> {
 public:
  OwnProcess(std::shared_ptr<RunContext> context, std::shared_ptr<ForkServer> server, std::string token, ProcessHandlers handlers);

  void launch(json::object work, UniqueFd output) override;
  bool take_back() override { return server_->take_back(token_); }
  void stop(std::chrono::milliseconds grace) override { link_->stop(grace); }
  void stop_member(const std::string& member) override { link_->stop_member(member); }
  void kill() override { link_->kill(); }
  void close() override;
  bool started() const override { return link_ && link_->started(); }
  pid_t keeper() const override { return link_ ? link_->keeper() : 0; }
  JobCgroup group() const override { return link_ ? link_->group() : JobCgroup(); }

 private:
  const std::shared_ptr<RunContext> context_;
  const std::shared_ptr<ForkServer> server_;
  const std::string token_;
  std::optional<ProcessHandlers> handlers_;  // empty after launch() or close()
  std::shared_ptr<KeeperLink> link_;
};

}  // namespace lo::run
