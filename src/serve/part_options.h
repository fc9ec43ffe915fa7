// What the command line's options mean for the parts. Pure, but for the last two, which read JAVA_HOME.
#pragma once

#include <chrono>

#include "api/context.h"
#include "engine/plan.h"
#include "run/old_logs.h"
#include "run/runner.h"
#include "serve/options.h"
#include "store/store.h"

namespace lo::serve {

engine::PlanOptions plan_options_of(const Options& options);
api::Keep keep_of(const Options& options);
run::LogRules log_rules_of(const Options& options);
std::chrono::microseconds housekeeping_interval(const Options& options);
store::LocalStoreOptions store_options(const Options& options);

// How Python is started. Call it while there is one thread.
run::PythonOptions python_options_of(const Options& options);

// How steps are run, `spark` as read_spark() gives it. What they are run with (pools, store, folders, URLs, connections) is for the caller to add. Call it while there is one thread.
run::RunOptions run_options_of(const Options& options, run::SparkOptions spark);

}  // namespace lo::serve
