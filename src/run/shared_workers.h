// The processes that jobs share: which there are, which of them are idle, and how long they are kept.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "run/fork_servers.h"
#include "run/shared_worker.h"

namespace lo::run {

// Jobs with the same key may run in one process, one after the other.
struct SharedKey {
  WorkerKind kind = WorkerKind::bare;
  std::string environment = {};  // digest of the user's own, "" = the built-in one
  std::string owner = {};
  std::optional<std::int64_t> memory_bytes = {};
  auto operator<=>(const SharedKey&) const = default;
};

// Lives on the strand.
class SharedWorkers : public std::enable_shared_from_this<SharedWorkers> {
 public:
  SharedWorkers(std::shared_ptr<RunContext> context, std::shared_ptr<ForkServers> servers);

  // For one job: an idle process of this key when it is launched, else a new one, forked from the server of this interpreter.
  std::shared_ptr<JobProcess> process(SharedKey key, std::filesystem::path python, ProcessHandlers handlers);

  std::set<pid_t> keepers() const;
  bool is_starting() const;  // some keeper is not known yet

  // Ends those that are idle, at once; `done` when all are gone. Jobs have been stopped.
  void stop(std::function<void()> done);

 private:
  friend class SharedProcess;
  struct Entry {
    Entry(SharedKey made_for, Strand strand) : key(std::move(made_for)), patience(std::move(strand)) {}
    SharedKey key;
    std::shared_ptr<SharedWorker> worker;
    asio::steady_timer patience;  // of one that is idle
    bool idle = false;
  };
  using Entries = std::map<std::string, Entry>;  // by token

  std::shared_ptr<SharedWorker> take(const SharedKey& key, const std::filesystem::path& python);
  std::shared_ptr<SharedWorker> make(const SharedKey& key, const std::filesystem::path& python);
  void became_idle(const std::string& token);
  void keep_few();
  void let_go(const std::string& token);
  void gone(const std::string& token);

  const std::shared_ptr<RunContext> context_;
  const std::shared_ptr<ForkServers> servers_;
  Entries entries_;
  std::vector<std::string> idle_;  // tokens; who has waited longest comes first
  std::function<void()> stopped_;
};

}  // namespace lo::run
