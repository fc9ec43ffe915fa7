// Runs native operations: C++ code on threads of a pool.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "run/run_context.h"
#include "run/verdict.h"

namespace lo::run {

// Lives on the strand; the operations run on options.native_pool.
class NativeRunner : public std::enable_shared_from_this<NativeRunner> {
 public:
  explicit NativeRunner(std::shared_ptr<RunContext> context) : context_(std::move(context)) {}

  bool runs(std::string_view operation) const { return context_->options.native.contains(operation); }
  void start(engine::JobRequest request, std::shared_ptr<engine::JobListener> listener);
  void stop(const std::string& token, State state, Reason reason);
  void shutdown(std::function<void()> done);

 private:
  struct Job {
    explicit Job(const Strand& strand) : limit(strand) {}
    engine::JobRequest request;
    std::shared_ptr<engine::JobListener> listener;
    std::stop_source stop;
    std::optional<Verdict> verdict;  // of a stopped one; the first holds
    asio::steady_timer limit;
  };

  void run(const std::shared_ptr<Job>& job);
  static void stop_job(Job& job, Verdict verdict);
  void ended(const std::string& token, engine::Outcome outcome);

  const std::shared_ptr<RunContext> context_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;
  bool stopping_ = false;
  std::function<void()> stopped_;
};

}  // namespace lo::run
