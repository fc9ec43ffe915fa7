// All fork servers: one per kind, and one more per kind and environment of the user's own. Started when they are needed, let go when
// they have been idle.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "run/fork_server.h"
#include "run/run_context.h"
#include "run/worker_kind.h"

namespace lo::run {

// Lives on the strand.
class ForkServers : public std::enable_shared_from_this<ForkServers> {
 public:
  ForkServers(std::shared_ptr<RunContext> context, std::function<void()> died);

  // The server for processes of this kind that run with this interpreter; counts one user of it. `environment` is the digest of the user's own
  // environment, "" for the built-in one.
  std::shared_ptr<ForkServer> acquire(WorkerKind kind, const std::string& environment, const std::filesystem::path& python);

  // The user is over. A server without users is let go after PythonOptions::idle; a bare one without environment stays.
  void release(WorkerKind kind, const std::string& environment);

  // Starts it ahead of need.
  void warm(WorkerKind kind, const std::filesystem::path& python);

  // Ends all of them for good; `done` once the last process is reaped.
  void stop(std::function<void()> done);

 private:
  using Key = std::pair<WorkerKind, std::string>;
  struct Entry {
    Entry(std::shared_ptr<ForkServer> made, Strand strand) : server(std::move(made)), idle(std::move(strand)) {}
    std::shared_ptr<ForkServer> server;
    asio::steady_timer idle;
    int users = 0;
  };

  Entry& entry(const Key& key, const std::filesystem::path& python);
  void let_go(const Key& key);

  const std::shared_ptr<RunContext> context_;
  const std::function<void()> died_;
  std::map<Key, Entry> entries_;
};

}  // namespace lo::run
