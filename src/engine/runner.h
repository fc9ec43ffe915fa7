// How the engine has a job run, without knowing where. Implemented in run/, faked in tests.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/records.h"

namespace lo::engine {

using catalog::RevisionKey;

// One revision that a job makes. A job of the builder has one per classifier, every other job just one.
struct Member {
  RevisionKey key;
  std::string name;
  std::string operation;
  json::object request;
};

// A parent's result, by reference.
struct Input {
  std::string name;        // as the request names it
  RevisionKey key;
  std::string operation;   // what made it
  json::object manifest;   // store::Manifest as JSON
};

struct Limits {
  std::optional<std::chrono::milliseconds> timeout;  // of one attempt, from its start
  std::optional<std::int64_t> memory_bytes;
  double cpu = 1;
  int gpu = 0;  // devices
};

struct JobRequest {
  std::string token;  // of this attempt
  int attempt = 1;
  std::vector<Member> members;
  std::vector<Input> inputs;
  WallTime clock = {};  // `$clock`: the time for which it runs
  Limits limits;
  std::vector<int> gpus = {};  // the devices that are the job's own
  std::optional<std::string> shared_by = {};  // the owner whose jobs may use one process after the other; nothing: a process of its own
};

inline constexpr std::string_view kResultDigest = "digest";  // among a finished member's facts: of its whole result

// How a member of a job ended.
struct Outcome {
  State state = State::failed;
  Reason reason = Reason::none;
  std::string exception;   // "<type>: <message>"
  std::string traceback;
  std::string message;     // what it printed: first and last 32 kB
  json::object manifest;   // of a finished one: store::Manifest as JSON, already published
  json::object facts;      // what it adds to the metadata
  double cpu_seconds = 0;
  std::int64_t peak_memory = 0;
  bool lost = false;       // the worker vanished without a word (not by its own doing): may be tried again
};

// What a runner tells of a job, in order, from any thread: progress*, member_ended once per member, then job_ended once, after
// the last process of the job is gone, or runs no more of it: one that is shared may be ready for another, or be ending.
class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual void progress(const std::string& token, RevisionKey member, json::object data) = 0;
  virtual void member_ended(const std::string& token, RevisionKey member, Outcome outcome) = 0;
  virtual void job_ended(const std::string& token) = 0;
};

class Runner {
 public:
  virtual ~Runner() = default;

  // Begins a job; returns at once. What goes wrong is told to the listener as the members' Outcome.
  virtual void start(JobRequest job, std::shared_ptr<JobListener> listener) = 0;

  // Ends one member, or all when it is not given: State::cancelled, or State::failed with `reason` timeout. Whatever the job
  // started dies with it. Unknown tokens and members that have ended are left alone. Returns at once.
  virtual void stop(const std::string& token, std::optional<RevisionKey> member, State state, Reason reason) = 0;

  // The revision has ended for good: what its attempts kept for the next one (checkpoints) may go. Returns at once.
  virtual void forget(RevisionKey revision) = 0;

  // After a start: the same for every revision but these, which will be tried again.
  virtual void forget_all_but(std::set<RevisionKey> revisions) = 0;

  // Starts what a first job would wait for. Returns at once.
  virtual void warm() = 0;

  // For /ready: {"<runner>": {"state": "cold" | "warm" | "restarting" | "broken", …}}. Any thread.
  virtual json::object status() const = 0;

  // Stops every job (they end as lost) and every worker, then calls done. At most 8 s.
  virtual void shutdown(std::move_only_function<void()> done) = 0;
};

}  // namespace lo::engine
