// The server's side of one keeper: what it tells, and the means to end its job.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "run/packet_channel.h"
#include "run/run_context.h"
#include "run/verdict.h"

namespace lo::run {

// Lives on the strand.
class KeeperLink : public std::enable_shared_from_this<KeeperLink> {
 public:
  struct Handlers {
    std::function<void()> started;
    std::function<void(const std::string& member, json::object data)> progress;
    std::function<void(const std::string& member)> member_ended;
    std::function<void(JobEnd end)> exited;  // once: the tree is empty, or the keeper vanished (end.lost)
    std::function<void()> gone;              // once, after exited: the keeper itself has ended
  };

  KeeperLink(std::shared_ptr<RunContext> context, std::string token, Handlers handlers);

  void open(UniqueFd socket);
  void stop(std::chrono::milliseconds grace);
  void stop_member(const std::string& member);
  void kill();   // the keeper and all below it, without its help
  void close();  // no handler is called any more

  bool started() const { return keeper_ != 0; }
  pid_t keeper() const { return gone_ ? 0 : keeper_; }

 private:
  void on_message(const json::object& message);
  void on_closed();

  const std::shared_ptr<RunContext> context_;
  const std::string token_;
  std::shared_ptr<Handlers> handlers_;  // empty after close()
  std::shared_ptr<PacketChannel> channel_;
  pid_t keeper_ = 0;
  bool exited_ = false;
  bool gone_ = false;
};

}  // namespace lo::run
