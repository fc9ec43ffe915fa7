// One job in a process of its own, from its files to their removal.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runner.h"
#include "run/job_files.h"
#include "run/job_process.h"
#include "run/output_pump.h"

namespace lo::run {

// Lives on the strand; keeps itself alive until it has told the listener job_ended.
class ProcessJob : public std::enable_shared_from_this<ProcessJob> {
 public:
  struct Parts {
    std::shared_ptr<RunContext> context;
    engine::JobRequest request;
    std::shared_ptr<engine::JobListener> listener;
    ProcessMaker process;  // for each launch: another one only after a launch that ran nothing
    std::optional<SparkTarget> spark;
    std::function<void(ProcessJob& job)> ended;  // the last thing a job does: its files are gone, job_ended has been told
  };

  explicit ProcessJob(Parts parts);

  void begin();

  // Ends one member, or all that have not ended, with this verdict. The first verdict on a member holds.
  void stop(std::optional<engine::RevisionKey> member, const Verdict& verdict, std::chrono::milliseconds grace);

  const engine::JobRequest& request() const { return parts_.request; }
  const std::string& token() const { return parts_.request.token; }
  const std::optional<SparkTarget>& spark() const { return parts_.spark; }
  pid_t keeper() const { return process_ ? process_->keeper() : 0; }
  bool is_starting() const { return phase_ == Phase::launched && !process_->started(); }
  bool was_lost() const { return end_ && end_->lost; }
  bool ended_by_itself() const { return by_itself_; }  // what it began elsewhere it has ended

 private:
  enum class Phase { preparing, launched, over, cleaning };

  struct MemberRun {
    engine::Member member;
    std::optional<store::Staging> staging;
    std::optional<Verdict> verdict;
    std::optional<engine::Outcome> outcome;  // collected, not yet told
    bool collecting = false;
    bool told = false;

    bool is_settled() const { return told || outcome.has_value(); }
  };

  void prepared(Result<JobFiles> files);
  void launch();
  Result<UniqueFd> open_output();
  ProcessHandlers handlers();
  std::vector<std::filesystem::path> log_paths() const;
  void log_grew();

  void started();
  void timed_out();
  void progress(const std::string& name, json::object data);
  void member_ended(const MemberEnd& end);
  void tree_ended(JobEnd end);
  bool launch_again(const JobEnd& end);
  void output_ended();

  void collect(MemberRun& run);
  void collected(std::size_t index, std::optional<engine::Outcome> outcome);
  void settle_unstarted(const engine::Outcome& outcome);
  void tell_settled();
  void tell(MemberRun& run);

  void stop_all(std::chrono::milliseconds grace);
  void stop_one(MemberRun& run, std::chrono::milliseconds grace);
  void kill_by_force();

  void clean_up();
  void keeper_gone();
  void remove_files();
  void finish();

  MemberRun* find(const std::string& name);
  bool all_settled() const;
  std::optional<std::int64_t> memory_limit() const { return parts_.request.limits.memory_bytes; }

  Parts parts_;
  Phase phase_ = Phase::preparing;
  std::vector<MemberRun> members_;
  JobFiles files_;
  std::shared_ptr<JobProcess> process_;  // of the last launch
  std::shared_ptr<OutputPump> pump_;
  std::optional<JobEnd> end_;
  std::optional<JobEnd> usage_;  // told with the last result: there is no need to wait for the end
  bool output_done_ = false;
  bool gone_ = false;            // the keeper
  bool stopping_ = false;
  bool by_itself_ = true;
  int launches_ = 0;
  asio::steady_timer limit_;     // of the job's time
  asio::steady_timer force_;     // until the keeper must have ended the tree
  asio::steady_timer patience_;  // of cleaning up
  std::vector<std::unique_ptr<asio::steady_timer>> member_timers_;
};

}  // namespace lo::run
