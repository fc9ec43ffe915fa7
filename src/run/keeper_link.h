// The server's side of one keeper: what it tells, and the means to end its job.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "run/job_process.h"
#include "run/packet_channel.h"

namespace lo::run {

// Lives on the strand.
class KeeperLink : public std::enable_shared_from_this<KeeperLink> {
 public:
  // exited: the tree is empty; gone: the keeper itself has ended. It refuses nothing.
  KeeperLink(std::shared_ptr<RunContext> context, std::string token, ProcessHandlers handlers);

  void open(UniqueFd socket);
  void stop(std::chrono::milliseconds grace);
  void stop_member(const std::string& member);
  void kill();   // the keeper and all below it, without its help
  void close();  // no handler is called any more

  bool started() const { return keeper_ != 0; }
  pid_t keeper() const { return gone_ ? 0 : keeper_; }
  const JobCgroup& group() const { return group_; }  // once started

 private:
  void on_message(const json::object& message);
  void on_closed();

  const std::shared_ptr<RunContext> context_;
  const std::string token_;
  std::shared_ptr<ProcessHandlers> handlers_;  // empty after close()
  std::shared_ptr<PacketChannel> channel_;
  pid_t keeper_ = 0;
  JobCgroup group_;
  bool exited_ = false;
  bool gone_ = false;
};

}  // namespace lo::run
