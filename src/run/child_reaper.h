// The only waiter for child processes: whoever needs a child spawns it here and is told of its end.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/async.h"
#include "run/spawn.h"

namespace lo::run {

struct ExitStatus {
  std::optional<int> status;  // of a process that ended by itself
  std::optional<int> signal;  // that killed it
};

// "exit status 3", "signal 9 (Killed)"
std::string describe(const ExitStatus& exit);

// Lives on one strand (spawning and reaping there cannot overtake each other). One per process: it reaps every child.
class ChildReaper : public std::enable_shared_from_this<ChildReaper> {
 public:
  using Ended = std::function<void(ExitStatus)>;

  static std::shared_ptr<ChildReaper> start(Strand strand);
  explicit ChildReaper(Strand strand);

  // `ended` runs on the strand, never before spawn() has returned.
  Result<pid_t> spawn(const SpawnRequest& request, Ended ended);

  // Sends SIGKILL to a child of ours that has not been reaped; others are left alone (their number may be somebody else's by now).
  void kill(pid_t pid, int signal);

  // The process is a subreaper: what lost its parent becomes its child. Kills all such children but `keepers`, with whatever
  // they leave behind in turn.
  void kill_orphans(const std::set<pid_t>& keepers);

  void stop();

 private:
  void await_signal();
  void reap();

  Strand strand_;
  asio::signal_set signals_;
  std::unordered_map<pid_t, Ended> children_;
};

}  // namespace lo::run
