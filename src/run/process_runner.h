// Runs jobs of user code: chooses the fork server, gets the Spark server where one is needed, keeps the list of running jobs.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "run/fork_servers.h"
#include "run/process_job.h"
#include "run/python_environment.h"
#include "run/run_context.h"
#include "run/shared_workers.h"
#include "run/spark_server.h"
#include "run/worker_kind.h"

namespace lo::run {

// Lives on the strand.
class ProcessRunner : public std::enable_shared_from_this<ProcessRunner> {
 public:
  static std::shared_ptr<ProcessRunner> make(std::shared_ptr<RunContext> context);
  explicit ProcessRunner(std::shared_ptr<RunContext> context);

  void start(engine::JobRequest request, std::shared_ptr<engine::JobListener> listener);
  void stop(const std::string& token, std::optional<engine::RevisionKey> member, State state, Reason reason);
  void warm();  // the fork server that plain functions need
  void shutdown(std::function<void()> done);

 private:
  // A job that has no process yet: the Spark server or the environment that it needs is not there yet.
  struct WaitingJob {
    engine::JobRequest request;
    std::shared_ptr<engine::JobListener> listener;
  };

  // Where a job runs.
  struct Place {
    WorkerKind kind;
    std::string environment;  // digest of the user's own, "" = the built-in one
    std::filesystem::path python;
  };

  void make_servers();
  Place spark_place() const;
  void start_in_environment(WaitingJob job, WorkerKind kind, const std::string& environment);
  void start_spark(WaitingJob job);
  void start_when_made(WaitingJob job, WorkerKind kind);
  void environment_answered(const std::string& token, WorkerKind kind, const Result<std::filesystem::path>& python);
  void spark_answered(const std::string& token, Result<SparkTarget> target);
  void begin(WaitingJob job, const Place& place, std::optional<SparkTarget> target);
  ProcessMaker process_maker(const engine::JobRequest& request, const Place& place, const std::shared_ptr<ForkServer>& server) const;
  void job_ended(ProcessJob& job, const Place& place, const std::string& helper);
  void release_session(SparkTarget target);
  void spark_died(const std::string& why);
  void end_waiting(WaitingJob job, const engine::Outcome& outcome);

  void sweep_orphans_later();
  void sweep_orphans();
  void stop_servers_if_idle();
  void end_when_alone(int round, std::function<void()> done);

  const std::shared_ptr<RunContext> context_;
  std::shared_ptr<ForkServers> servers_;
  std::shared_ptr<SharedWorkers> shared_;
  std::shared_ptr<SparkServer> spark_;
  std::map<WorkerKind, std::shared_ptr<PythonEnvironment>> made_;  // environments that are made when they are first needed
  std::map<std::string, WaitingJob> waiting_;
  std::map<std::string, std::shared_ptr<ProcessJob>> jobs_;
  asio::steady_timer sweep_;
  bool stopping_ = false;
  std::function<void()> stopped_;
};

}  // namespace lo::run
