// What the command line's options mean for the parts. Pure, but for python_options_of() and ray_options_of(), which read variables.
#pragma once

#include <chrono>

#include "api/context.h"
#include "engine/plan.h"
#include "run/ray_cluster.h"
#include "run/old_logs.h"
#include "run/runner.h"
#include "serve/options.h"
#include "store/bucket_store.h"

namespace lo::serve {

// `ray`: the cluster that steps run on, if they do and it answers.
engine::PlanOptions plan_options_of(const Options& options, const std::optional<run::RayCluster>& ray);

// Of --runner, --ray-python and --home. Reads this process's environment.
run::RayOptions ray_options_of(const std::string& runner, const std::filesystem::path& python, const std::filesystem::path& home);
api::Keep keep_of(const Options& options);
run::LogRules log_rules_of(const Options& options);
std::chrono::microseconds housekeeping_interval(const Options& options);
store::LocalStoreOptions store_options(const Options& options);
store::BucketStoreOptions bucket_options(const Options& options, BlockingPool& pool, std::function<bool()> is_ending);  // the pool outlives the store

// How Python is started. Call it while there is one thread.
run::PythonOptions python_options_of(const Options& options);

// How steps are run, `spark` as read_spark() gives it. What they are run with (pools, store, folders, URLs, connections) is for the caller to add. Call it while there is one thread.
run::RunOptions run_options_of(const Options& options, run::SparkOptions spark);

}  // namespace lo::serve
