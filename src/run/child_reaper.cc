#include "run/child_reaper.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <fmt/format.h>

#include "run/process_table.h"

namespace lo::run {
namespace {

ExitStatus to_exit(int status) {
  if (WIFSIGNALED(status)) return {.status = std::nullopt, .signal = WTERMSIG(status)};
  return {.status = WEXITSTATUS(status), .signal = std::nullopt};
}

}  // namespace

std::string describe(const ExitStatus& exit) {
  if (!exit.signal) return fmt::format("exit status {}", exit.status.value_or(0));
  const char* name = ::sigdescr_np(*exit.signal);
  return fmt::format("signal {} ({})", *exit.signal, name == nullptr ? "unknown" : name);
}

std::shared_ptr<ChildReaper> ChildReaper::start(Strand strand) {
  auto reaper = std::make_shared<ChildReaper>(std::move(strand));
  reaper->await_signal();
  return reaper;
}

ChildReaper::ChildReaper(Strand strand) : strand_(strand), signals_(strand, SIGCHLD) {}

Result<pid_t> ChildReaper::spawn(const SpawnRequest& request, Ended ended) {
  LO_ASSIGN(auto pid, run::spawn(request));
  children_.emplace(pid, std::move(ended));
  return pid;
}

void ChildReaper::kill(pid_t pid, int signal) {
  if (children_.contains(pid)) ::kill(pid, signal);
}

void ChildReaper::kill_orphans(const std::set<pid_t>& keepers) {
  for (auto pid : children_of(::getpid()))
    if (!children_.contains(pid) && !keepers.contains(pid)) kill_tree(pid);
}

void ChildReaper::stop() {
  boost::system::error_code ignored;
  signals_.cancel(ignored);
  signals_.clear(ignored);
}

void ChildReaper::await_signal() {
  signals_.async_wait([weak = weak_from_this()](auto error, int) {
    auto self = weak.lock();
    if (error || !self) return;
    self->await_signal();
    self->reap();
  });
}

// Signals may be merged into one, so all that ended are taken.
void ChildReaper::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    auto child = children_.extract(pid);
    if (child.empty()) continue;  // an adopted one
    asio::post(strand_, [ended = std::move(child.mapped()), exit = to_exit(status)] { ended(exit); });
  }
}

}  // namespace lo::run
