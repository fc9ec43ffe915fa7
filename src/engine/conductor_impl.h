// The conductor's inside, shared by its source files: accept.cc (submissions and revisions), carry_out.cc (decisions and jobs),
// again.cc (making steps anew), timing.cc (schedules), reuse.cc (results that are there), remove.cc (cancel and
// delete), retire.cc (old revisions), look.cc (standing and lineage), recover.cc. Every method runs on the strand.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "engine/cache_key.h"
#include "engine/conductor.h"
#include "engine/schedule.h"
#include "engine/timetable.h"

namespace lo::engine {

// How often an attempt may be lost to the server's own death before the step fails as lost.
inline constexpr int kMaxLost = 3;

// Among the facts of a revision that was made because its inputs were.
inline constexpr std::string_view kAutomatic = "automatic";

// The facts of a run beside those that the server has of the revision, which it cannot change.
json::object merge_facts(const json::object& own, json::object made);

class Conductor::Impl : public JobListener, public std::enable_shared_from_this<Conductor::Impl> {
 public:
  Impl(ConductorPorts ports, PlanOptions options);

  void submit(Submission submission, Callback<Result<std::vector<Accepted>>> done);
  void revise(Revise revision, Callback<Result<Accepted>> done);
  void rerun(const std::string& name, bool cascade, OnlyIf only_if, std::optional<catalog::Receipt> receipt, Callback<Result<Accepted>> done);
  void backfill(const std::vector<std::string>& names, WallTime scheduled_for, std::optional<catalog::Receipt> receipt, Callback<Status> done);
  void look_at_clock();
  std::vector<Status> check(const std::vector<Question>& questions) const;
  void cancel(const std::string& name, const OnlyIf& only_if, Callback<Status> done);
  void remove(const std::string& name, const std::string& service, bool cascade, const OnlyIf& only_if, Callback<Result<Removed>> done);
  void retire(Retention keep, bool dry_run, Callback<Result<std::vector<Retired>>> done);
  std::optional<Standing> standing(const std::string& name) const;
  std::optional<Lineage> lineage(const std::string& name, Direction direction) const;
  Load load() const { return {.running = plan_.running(), .queued = plan_.queued(), .writable = writable_}; }
  void shutdown(std::move_only_function<void()> done);
  Status recover();  // before the strand runs anything

  // JobListener: any thread.
  void progress(const std::string& token, RevisionKey member, json::object data) override;
  void member_ended(const std::string& token, RevisionKey member, Outcome outcome) override;
  void job_ended(const std::string& token) override;

  // Runs `work` on the strand, with this kept alive.
  template <class Work>
  void on_strand(Work work) {
    asio::post(strand_, [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
  }

 private:
  // An attempt that runs, or is about to.
  struct Run {
    std::string token;
    int attempt = 0;
    std::map<RevisionKey, catalog::Attempt> records;
    std::map<RevisionKey, catalog::Revision> late;  // members that were cancelled while they ran: to complete their record
  };

  // accept.cc
  Status check_names(const Submission& submission) const;
  Status check_version(const OnlyIf& only_if, const Entry& entry) const;
  Status check_resources(const json::object& request) const;
  Result<std::vector<catalog::Parent>> bind(const std::vector<Mention>& mentions) const;
  Result<std::vector<catalog::Parent>> bind_revision(const Revise& revision, const Entry& entry) const;
  Status check_no_cycle(const Entry& entry, const std::vector<catalog::Parent>& parents) const;
  Status check_busy(const Revise& revision, const Entry& entry) const;
  catalog::Revision new_revision(RevisionKey key, std::string name, std::string operation, std::string job, json::object request,
                                 std::vector<catalog::Parent> parents) const;
  void make_due(catalog::Revision& revision, std::optional<WallTime> time) const;
  void remember(const catalog::Revision& revision);
  void forget_unsaved(const std::vector<RevisionKey>& keys, bool with_steps);
  void schedule(const std::vector<RevisionKey>& members, std::optional<SteadyTime> not_before = {});
  void supersede(RevisionKey newest);
  std::optional<WallTime> made_for(const Revise& request, const std::vector<catalog::Parent>& parents) const;

  // again.cc
  struct Series;
  struct How {
    Revise::Kind kind = Revise::Kind::rerun;
    bool cascade = false;
    std::optional<WallTime> scheduled_for = {};
    bool automatic = false;
    bool backfill = false;
    OnlyIf only_if = {};                           // of the first
    std::optional<catalog::Receipt> receipt = {};  // with the last
  };
  void revive_children(catalog::StepId step);
  void run_descendants(catalog::StepId step, Callback<Result<Accepted>> done);
  void update(catalog::StepId step);
  void run_again(std::vector<catalog::StepId> steps, How how, Callback<Result<Accepted>> done);
  void revise_next(const std::shared_ptr<Series>& series);

  // timing.cc
  void arm_timer();
  void follow_schedule(const catalog::Revision& revision);
  void fire(Timetable::Firing firing);
  void end_schedule(const std::string& name, OnlyIf only_if, Callback<Status> done);
  void end_schedule_with(catalog::Revision last, Callback<Status> done);

  // carry_out.cc
  void carry_out(Decisions decisions, catalog::Batch batch = {});
  void record(const Transition& transition, catalog::Batch& batch);
  void record_start(catalog::Revision& revision, int attempt, catalog::Batch& batch);
  catalog::Event event_of(const catalog::Revision& revision, std::string type) const;
  void save(catalog::Batch batch, std::vector<StartJob> start_after);
  void save_again(catalog::Batch batch);
  void on_saved(const catalog::Revision& revision);
  void launch(const StartJob& start);
  struct Unsaved {
    std::string operation;
    json::object result;
  };
  std::optional<std::vector<Input>> unsaved_inputs(const std::vector<catalog::Parent>& parents) const;
  struct Prepared {
    Result<std::vector<Input>> inputs = std::vector<Input>{};
    std::map<RevisionKey, std::string> keys = {};  // by which results are found again
  };
  void launch_with(const StartJob& start, Prepared prepared);
  std::string owner_of(catalog::StepId step) const { return string_or(registry_.find(step)->step.labels, "owner"); }
  void fail_start(const JobRequest& job, const Error& error);
  std::vector<Member> members_of(const StartJob& start) const;
  Result<std::vector<Input>> read_inputs(const std::vector<catalog::Parent>& parents,
                                         const std::map<RevisionKey, json::object>& unsaved) const;
  void on_member_ended(const std::string& token, RevisionKey member, Outcome outcome);
  void complete_attempt(Run& run, RevisionKey member, const Outcome& outcome, catalog::Batch& batch);

  // reuse.cc
  bool asks_outside(const catalog::Revision& revision) const;
  std::map<RevisionKey, std::string> cache_keys(const std::vector<Member>& members, const std::vector<Input>& inputs, WallTime clock) const;
  std::optional<RevisionKey> origin_of(const catalog::Revision& revision) const;
  std::optional<Outcome> stored_outcome(RevisionKey origin) const;
  void take_over(JobRequest job, std::map<RevisionKey, RevisionKey> origins);
  void start_members(JobRequest job);

  // look.cc
  Lineage::Node node_of(const Entry& entry) const;

  // remove.cc
  void drop(const std::vector<catalog::StepId>& steps, Callback<Result<Removed>> done);
  void forget_step(catalog::StepId id);

  // retire.cc
  bool is_leaving_its_process(RevisionKey key) const;

  // recover.cc
  using Pauses = std::map<std::string, SteadyTime>;  // by job: until when it waits for its next attempt
  void take_in(const catalog::Revision& revision);
  void take_up(std::vector<catalog::Revision> open, const Pauses& pauses);
  Result<Pauses> read_pauses(const std::vector<catalog::Revision>& open) const;

  const ConductorPorts ports_;
  const PlanOptions options_;
  Strand strand_;
  asio::steady_timer wake_;
  Registry registry_;
  Plan plan_;
  Timetable timetable_;
  std::map<RevisionKey, catalog::Revision> active_;  // whole records of what has not ended
  std::map<RevisionKey, Outcome> outcomes_;          // of members whose transition is being decided
  std::map<std::string, Run> runs_;                  // by job
  std::map<std::string, std::string> job_of_token_;
  std::map<RevisionKey, Unsaved> unsaved_;  // finished, not on disk yet
  bool stopping_ = false;
  bool writable_ = true;
};

}  // namespace lo::engine
