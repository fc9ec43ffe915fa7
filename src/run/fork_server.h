// A fork server: the warm Python process that jobs are forked from. Starts it on demand, watches it, starts it again.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/fd.h"
#include "run/lifecycle.h"
#include "run/packet_channel.h"
#include "run/run_context.h"

namespace lo::run {

// A keeper to be forked.
struct Launch {
  std::string token;
  json::object message;              // "start" of PROTOCOL.md
  std::vector<UniqueFd> descriptors;  // which go with it
  std::function<void(std::string why)> refused;  // instead of a keeper; on the strand
};

// Lives on the strand.
class ForkServer : public std::enable_shared_from_this<ForkServer> {
 public:
  struct Options {
    std::string kind;
    SpawnRequest command;  // its control socket becomes descriptor 3
    std::chrono::milliseconds start_timeout;
    LifecycleOptions lifecycle = {};
    std::function<void()> died;  // after an end that nobody asked for
  };

  ForkServer(std::shared_ptr<RunContext> context, Options options);

  void warm();  // starts it if it is cold

  // Has the job forked as soon as the server is ready. When it dies with the message unread, the keeper's socket closes.
  void launch(Launch launch);

  // Takes back a launch that has not been sent; false if it has.
  bool take_back(const std::string& token);

  // The job's keeper was heard of, or is known to be gone. A server that leaves a launch unanswered is killed.
  void answered(const std::string& token);

  // Ends it for good; `done` once the process is reaped. What waits is refused.
  void stop(std::function<void()> done);

  const std::string& kind() const { return options_.kind; }

 private:
  void start();
  void on_message(const json::object& message);
  void became_ready(const json::object& message);
  void refused(const json::object& message);
  void closed();
  void kill_hung();
  void on_exit(ExitStatus exit);
  void after_end(const std::string& how);
  void send(Launch launch);
  void refuse_all(const std::string& why);
  void await_answer();
  void publish();

  const std::shared_ptr<RunContext> context_;
  const Options options_;
  Lifecycle lifecycle_;
  asio::steady_timer timer_;  // of the start, or of the delay before the next
  std::shared_ptr<PacketChannel> channel_;
  pid_t pid_ = 0;  // 0 = no process
  std::deque<Launch> waiting_;
  std::map<std::string, std::function<void(std::string)>> sent_;  // unanswered: refusal handlers by token
  asio::steady_timer answer_;                                     // runs while there are such
  bool stopping_ = false;
  std::function<void()> stopped_;
};

}  // namespace lo::run
