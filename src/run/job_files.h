// The files of a process job: what it is given before it starts, what it leaves, and their removal. Everything here blocks on the
// disk: call it on the pool.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/runner.h"
#include "run/run_context.h"
#include "store/store.h"

namespace lo::run {

// How a job reaches its Spark server.
struct SparkTarget {
  std::string url;      // "sc://127.0.0.1:15002"
  std::string token;    // secret; "" = none wanted
  std::string session;  // UUID chosen by us
};

struct JobFiles {
  std::filesystem::path folder;          // <data>/run/<token>, made for a step file; else there is none
  json::object work;                     // what JobProcess::launch takes
  std::vector<store::Staging> stagings;  // one per member
};

// step.json of PROTOCOL.md. `stagings` are the members' folders, `paths` the parts' by input, both in the job's order.
json::object step_json(const engine::JobRequest& job, const std::vector<std::filesystem::path>& stagings, json::object inputs,
                       const std::optional<SparkTarget>& spark);

// The limits of a start message.
json::object limits_json(std::optional<std::int64_t> memory_bytes, int processes);

// An input as the step file describes it. Code::corrupt when a part is not as stored.
Result<json::object> input_json(const engine::Input& input, store::Store& store);

// Makes folders, and the step file when the step is too large for a message. What it made is removed again when it fails.
Result<JobFiles> prepare_job(const engine::JobRequest& job, const RunContext& context, const std::optional<SparkTarget>& spark);

// The same for a job that needs nothing of the disk: small inputs that go along, no upload, no checkpoint, not Spark. Nothing for every other
// job. Does not block for long.
std::optional<Result<JobFiles>> prepare_without_disk(const engine::JobRequest& job, const RunContext& context);

// The outcome that a member's process wrote into its staging folder, published if it is a good one; none when there is no result.
std::optional<engine::Outcome> collect_result(store::Staging staging, store::Store& store);

// The outcome that a member's process told: `result` as result.json has it, with the contents of all parts. Does not block.
engine::Outcome inline_result(const json::object& result);

void remove_job_folder(const std::filesystem::path& folder);

}  // namespace lo::run
