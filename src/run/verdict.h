// What became of a member, from what its process left: decisions only.
#pragma once

#include <optional>

#include "engine/runner.h"
#include "run/cgroup.h"
#include "run/child_reaper.h"

namespace lo::run {

// What is known when the last process of a job is gone.
struct JobEnd {
  ExitStatus exit;
  double cpu_seconds = 0;
  std::int64_t peak_memory = 0;  // bytes
  bool out_of_memory = false;
  bool lost = false;             // the keeper vanished: the rest is what the server found out by itself
  std::string lost_why;
};

// From the keeper's last message (PROTOCOL.md, "exited").
JobEnd job_end_from(const json::object& exited);

// What the group tells of a tree whose keeper vanished; what is left of it is killed.
void end_lost(JobEnd& end, const JobCgroup& group);

// An end that the server decided on.
struct Verdict {
  State state = State::cancelled;
  Reason reason = Reason::none;
  std::string exception;
  bool lost = false;
};

engine::Outcome outcome_of(const Verdict& verdict);

// Of a member that left no result.
engine::Outcome outcome_without_result(const JobEnd& end, std::optional<std::int64_t> memory_limit);

// Completes an outcome with what only the end of the job tells: cpu, memory, and for out_of_memory peak and limit in its text.
void add_usage(engine::Outcome& outcome, const JobEnd& end, std::optional<std::int64_t> memory_limit);

engine::Outcome failed(Reason reason, std::string exception);

// "ran longer than its limit of 2 s"
std::string timeout_text(std::chrono::milliseconds limit);

}  // namespace lo::run
