// The scheduler as a pure state machine: what may start, what waits and why, what a failure means for those who wait. No I/O, no
// threads, no clock of its own: whoever drives it (the conductor, a test) passes the time and carries out the decisions, in order.
//
// A job is what runs as one unit: one revision, or the builder's several. Its members end one by one. A job is identified by its
// text id and an attempt number; whatever is told of an attempt that is not the current one is refused.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/state.h"
#include "engine/admission.h"
#include "engine/policy.h"

namespace lo::engine {

// What running jobs may have together.
struct PlanOptions {
  double cpu_capacity = 2;            // a job that asks for more runs alone
  std::int64_t memory_capacity = 0;   // bytes, of those that state what they need; 0 = not counted
  int gpu_capacity = 0;
};

struct PlannedJob {
  std::string id;
  std::vector<RevisionKey> members;
  std::vector<RevisionKey> parents;
  std::string owner = {};  // whose turn it is when it is this job's
  Policy policy;
  int attempts = 0;  // begun before: after a restart
  int lost = 0;      // of those, ended by the server's own death: they do not count against the retries
  std::optional<SteadyTime> not_before = {};  // the pause before its next attempt is not over: after a restart
  std::optional<WallTime> due = {};           // scheduled: not to start before
};

// --- Decisions ---

// Have the runner begin an attempt with these members.
struct StartJob {
  std::string job;
  int attempt = 1;
  std::vector<RevisionKey> members;
  std::vector<int> gpus = {};  // that are its own
};

// Have the runner end one member of the current attempt.
struct StopMember {
  std::string job;
  int attempt = 1;
  RevisionKey member;
};

// A revision's new state: to be recorded, once each, in this order.
struct Transition {
  RevisionKey key;
  State state = State::queued;
  Reason reason = Reason::none;
  int attempt = 0;                     // of the job, when running
  std::optional<RevisionKey> cause = {};  // the parent that failed, when upstream_failed
};

using Decision = std::variant<StartJob, StopMember, Transition>;
using Decisions = std::vector<Decision>;

// How the runner says a member ended.
struct Ending {
  State state = State::finished;
  Reason reason = Reason::none;
};

// Why a revision has not started.
struct Wait {
  std::vector<RevisionKey> parents;      // unfinished ones
  std::optional<int> queue_place;        // 1 is next
  std::vector<std::string> short_of;     // in the queue: "cpu", "memory", "gpu", of which less is free than it wants
  std::optional<SteadyTime> retry_at;
  std::optional<WallTime> due;           // scheduled
};

class Plan {
 public:
  explicit Plan(PlanOptions options)
      : admission_({.cpu = options.cpu_capacity, .memory = options.memory_capacity, .gpu = options.gpu_capacity}) {}

  // Takes up a job. `unfinished` are those of its parents that have not ended, `failed` one that has failed, if any.
  Decisions add(PlannedJob job, std::set<RevisionKey> unfinished, std::optional<RevisionKey> failed);

  // A member of a running attempt ended. A failed one waits for the end of the attempt when it may be tried again.
  // Gives nothing when the attempt or member is not current.
  Decisions member_ended(const std::string& job, int attempt, RevisionKey member, Ending ending);

  // Nothing of the attempt is left: its resources are free. A member that was never said to have ended failed as lost.
  Decisions job_ended(const std::string& job, int attempt, SteadyTime now);

  // Ends a revision that has not ended: it is cancelled at once; what runs is stopped. Nothing when it is not known.
  Decisions cancel(RevisionKey key);

  // Makes every job that has never started wait for `to`, which is unfinished, instead of `from`, where `may(member)` says so.
  // Gives their members, which are waiting then, or scheduled still.
  std::vector<RevisionKey> rebind(RevisionKey from, RevisionKey to, const std::function<bool(RevisionKey)>& may);

  // Starts what was delayed or scheduled until now.
  Decisions tick(SteadyTime now, WallTime wall);
  std::optional<SteadyTime> next_wake() const;  // of the delayed
  std::optional<WallTime> next_due() const;     // of the scheduled

  bool contains(RevisionKey key) const { return job_of_.contains(key); }
  bool is_scheduled(RevisionKey key) const;
  bool is_current(const std::string& job, int attempt, RevisionKey member) const;
  Wait why(RevisionKey key) const;

  std::size_t running() const { return admission_.running(); }
  std::size_t queued() const { return admission_.queued(); }
  double cpu_used() const { return admission_.used().cpu; }

 private:
  enum class Phase { waiting, scheduled, queued, delayed, running };

  struct Job {
    PlannedJob spec;
    Phase phase = Phase::waiting;
    std::set<RevisionKey> unfinished;  // parents
    std::set<RevisionKey> open;        // members that have not ended
    std::set<RevisionKey> again;       // open ones whose attempt failed and that are tried again
    int attempt = 0;
    SteadyTime retry_at{};
  };

  void hold(Job& job, Decisions& out);
  void enqueue(Job& job, Decisions& out);
  void line_up(Job& job);
  void delay(Job& job, SteadyTime until);
  void start_what_fits(Decisions& out);
  void start(Job& job, std::vector<int> gpus, Decisions& out);
  void end_or_repeat(Job& job, RevisionKey member, Ending ending, Decisions& out);
  void end_member(Job& job, Transition transition, Decisions& out);
  void fail_upstream(Job& job, RevisionKey parent, Decisions& out);
  void settle(Decisions& out);
  void parent_ended(const std::string& id, RevisionKey parent, bool finished, Decisions& out);
  void release_delayed(SteadyTime now);
  void release_scheduled(WallTime now, Decisions& out);
  void leave_phase(Job& job);
  void forget_if_done(const std::string& id);
  static void unlink(std::map<RevisionKey, std::set<std::string>>& index, RevisionKey key, const std::string& id);

  Admission admission_;  // of jobs that are queued or running
  std::map<std::string, Job> jobs_;
  std::map<RevisionKey, std::string> job_of_;                  // open members
  std::map<RevisionKey, std::set<std::string>> waits_on_;      // unfinished parent → jobs
  std::map<RevisionKey, std::set<std::string>> children_;      // any parent of a job that has not started → jobs
  std::set<std::pair<SteadyTime, std::string>> delayed_;
  std::set<std::pair<WallTime, std::string>> scheduled_;
  std::deque<std::pair<RevisionKey, bool>> ended_;             // whose children have not been told; true: it finished
};

}  // namespace lo::engine
