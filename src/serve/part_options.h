// What the command line's options mean for the parts. Pure, but for run_options_of(), which reads JAVA_HOME.
#pragma once

#include <chrono>

#include "api/context.h"
#include "engine/plan.h"
#include "run/old_logs.h"
#include "run/runner.h"
#include "serve/options.h"
#include "store/bucket_store.h"

namespace lo::serve {

engine::PlanOptions plan_options_of(const Options& options);
api::Keep keep_of(const Options& options);
run::LogRules log_rules_of(const Options& options);
std::chrono::microseconds housekeeping_interval(const Options& options);
store::LocalStoreOptions store_options(const Options& options);
store::BucketStoreOptions bucket_options(const Options& options, BlockingPool& pool, std::function<bool()> is_ending);  // the pool outlives the store

// How steps are run. What they are run with (pools, store, folders, URLs, connections) is for the caller to add. Call it while there is one thread.
run::RunOptions run_options_of(const Options& options);

}  // namespace lo::serve
