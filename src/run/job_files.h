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
  std::filesystem::path folder;     // <data>/run/<token>
  std::filesystem::path step_file;
  std::vector<store::Staging> stagings;  // one per member
  JobCgroup cgroup;
};

// step.json of PROTOCOL.md. `stagings` are the members' folders, `paths` the parts' by input, both in the job's order.
json::object step_json(const engine::JobRequest& job, const std::vector<std::filesystem::path>& stagings, json::object inputs,
                       const JobCgroup& cgroup, const std::optional<SparkTarget>& spark);

// An input as the step file describes it. Code::corrupt when a part is not as stored.
Result<json::object> input_json(const engine::Input& input, store::Store& store);

// Makes folders, control groups and the step file. What it made is removed again when it fails.
Result<JobFiles> prepare_job(const engine::JobRequest& job, const RunContext& context, const CgroupLimits& limits,
                             const std::optional<SparkTarget>& spark);

// The outcome that a member's process wrote into its staging folder, published if it is a good one; none when there is no result.
std::optional<engine::Outcome> collect_result(store::Staging staging, store::Store& store);

void remove_job_folder(const std::filesystem::path& folder);

}  // namespace lo::run
