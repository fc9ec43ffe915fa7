#include "serve/part_options.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "run/leftovers.h"
#include "serve/access.h"

namespace lo::serve {
namespace {

using Day = std::ratio<86'400>;

template <class Unit>
std::chrono::microseconds microseconds_of(double count) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::duration<double, Unit>(count));
}

std::chrono::milliseconds milliseconds_of(double seconds) { return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)); }

double cpus_of(const Options& options) {
  constexpr double kLeast = 2;  // steps wait for disks and networks too
  if (options.cpus > 0) return options.cpus;
  return std::max(kLeast, static_cast<double>(std::thread::hardware_concurrency()));
}

run::PythonOptions python_options(const Options& options) {
  run::PythonOptions python;
  python.tool_modules = options.tool_modules;
  python.private_networks = private_networks(options);
  python.runtime = options.home / "runtime" / "python";
  python.python = options.python;
  python.home = options.home;
  python.tensorflow_python = options.tensorflow_python;
  python.sql_python = options.sql_python;
  python.spark_python = options.spark_python.empty() ? options.python : options.spark_python;
  if (const char* java = std::getenv("JAVA_HOME"); java != nullptr) python.java_home = java;  // NOLINT: one thread yet
  return python;
}

}  // namespace

engine::PlanOptions plan_options_of(const Options& options) {
  return {.cpu_capacity = cpus_of(options), .memory_capacity = run::memory_for_jobs(), .gpu_capacity = options.gpus};
}

api::Keep keep_of(const Options& options) {
  api::Keep keep{.revisions = options.keep_revisions, .events = options.keep_events};
  if (options.keep_revisions_days) keep.revision_age = microseconds_of<Day>(*options.keep_revisions_days);
  keep.receipts = microseconds_of<std::ratio<3600>>(options.idempotency_hours);
  return keep;
}

run::LogRules log_rules_of(const Options& options) {
  run::LogRules rules{.bytes = options.keep_logs_bytes};
  if (options.keep_logs_days) rules.age = std::chrono::duration_cast<std::chrono::seconds>(microseconds_of<Day>(*options.keep_logs_days));
  return rules;
}

std::chrono::microseconds housekeeping_interval(const Options& options) { return microseconds_of<std::ratio<60>>(options.housekeeping_minutes); }

// Steps that run may go on for a while where new ones are refused.
store::LocalStoreOptions store_options(const Options& options) {
  constexpr double kShare = 0.2;
  constexpr double kMost = 0.01;
  return {.least_free = std::min(kMost, kShare * (1 - options.disk_full_percent / 100)), .free_share = {}};
}

store::BucketStoreOptions bucket_options(const Options& options, BlockingPool& pool, std::function<bool()> is_ending) {
  return {.local = store_options(options), .cache_bytes = options.store_cache, .later = [&pool](auto work) { pool.post(std::move(work)); }, .is_ending = std::move(is_ending)};
}

run::RunOptions run_options_of(const Options& options) {
  run::RunOptions out;
  out.python = python_options(options);
  out.spark.url = options.spark_url;
  out.spark.memory = options.spark_memory;
  out.spark.idle = milliseconds_of(options.spark_idle_minutes * 60);
  out.memory_bytes = options.memory;
  out.gpus = options.gpus;
  out.grace = milliseconds_of(options.grace);
  return out;
}

}  // namespace lo::serve
