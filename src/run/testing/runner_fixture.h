// A runner over a fake store, two I/O threads and the real Python runtime.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <thread>

#include "base/id.h"
#include "run/log_writer.h"
#include "run/process_table.h"
#include "run/runner.h"
#include "run/testing/fake_store.h"
#include "run/testing/recorder.h"
#include "base/testing/temporary_folder.h"
#include "run/testing/waiting.h"

namespace lo::run {

// The interpreter of an environment: of the variable (for builds elsewhere), else the one that set-up made. Tests run in the
// repository's folder.
inline std::filesystem::path test_python(const char* variable, const char* environment) {
  const char* chosen = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nothing sets it
  auto path = chosen != nullptr ? std::filesystem::path(chosen)
                                : std::filesystem::path("build/environments") / environment / "bin/python";
  return std::filesystem::absolute(path);
}

class RunnerFixture : public testing::Test {
 protected:
  ~RunnerFixture() override {
    if (runner_) shutdown();
    work_.reset();
  }

  RunOptions options() {
    RunOptions options;
    options.executor = io_.get_executor();
    options.pool = &pool_;
    options.native_pool = &native_pool_;
    options.store = &store_;
    options.data = data();
    options.python.runtime = std::filesystem::absolute("runtime/python");
    options.python.python = test_python("ORCHESTRA_PYTHON", "python");
    options.python.spark_python = test_python("ORCHESTRA_SPARK_PYTHON", "spark");
    options.grace = std::chrono::milliseconds{500};
    options.status_changed = [this] {
      std::scoped_lock lock(status_mutex_);
      status_changed_.notify_all();
    };
    return options;
  }

  void start_runner(RunOptions options) {
    auto runner = make_runner(std::move(options));
    ASSERT_TRUE(runner) << runner.error().message;
    runner_ = *std::move(runner);
  }

  static engine::JobRequest function_job(const std::string& code, json::object parameters = {}) {
    engine::JobRequest job;
    job.token = make_token();
    json::object request{{"name", "f"}, {"function", code}, {"functionParameters", std::move(parameters)}};
    job.members.push_back({.key = {1, 1}, .name = "f", .operation = "function/python", .request = std::move(request)});
    return job;
  }

  std::shared_ptr<Recorder> start(engine::JobRequest job) {
    auto recorder = std::make_shared<Recorder>();
    runner_->start(std::move(job), recorder);
    return recorder;
  }

  engine::Outcome run(engine::JobRequest job) {
    auto recorder = start(std::move(job));
    recorder->wait_end();
    return recorder->outcome();
  }

  void shutdown() {
    std::promise<void> done;
    runner_->shutdown([&] { done.set_value(); });
    done.get_future().wait();
    runner_.reset();
  }

  std::filesystem::path data() const { return folder_.path() / "data"; }
  std::string log(int attempt = 1) const { return read(log_path(data(), {1, 1}, attempt)); }
  static std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // Waits for a step to write `path`.
  static void wait_for_file(const std::filesystem::path& path) {
    ASSERT_TRUE(wait_for_path(path)) << path;
  }

  // Waits until status() is as `condition(json::object)` wants it.
  template <class Condition>
  void wait_for_status(Condition condition) {
    std::unique_lock lock(status_mutex_);
    ASSERT_TRUE(status_changed_.wait_for(lock, std::chrono::milliseconds{kPatienceMs}, [&] { return condition(runner_->status()); }))
        << write_json(runner_->status());
  }

  // No folder of a job is left, once the jobs' files had time to go: neither of the runner, nor of the store, nor of a step.
  void expect_no_job_files() {
    auto rests = [](const auto& helper) { return helper.value().at("jobs") == 0; };
    if (runner_) wait_for_status([&](const json::object& status) { return std::ranges::all_of(status, rests); });
    EXPECT_FALSE(store_.has_staging());
    for (const auto& entry : std::filesystem::directory_iterator(data() / "run"))
      EXPECT_TRUE(entry.path().filename() == "tmp" || entry.path().filename() == "cgroups") << entry.path();
  }

  int pid_of(std::string_view helper) {
    auto status = runner_->status();
    const auto* entry = status.if_contains(helper);
    const auto* pid = entry == nullptr ? nullptr : entry->get_object().if_contains("pid");
    return pid == nullptr ? 0 : static_cast<int>(pid->get_int64());
  }
  std::string state_of(std::string_view helper) {
    auto status = runner_->status();
    return string_or(status.at(helper).get_object(), "state");
  }

  std::mutex status_mutex_;
  std::condition_variable status_changed_;
  TemporaryFolder folder_;
  FakeStore store_{folder_.path() / "store"};
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::jthread first_{[this] { io_.run(); }};
  std::jthread second_{[this] { io_.run(); }};
  BlockingPool pool_{2};
  BlockingPool native_pool_{2};
  std::unique_ptr<engine::Runner> runner_;
};

}  // namespace lo::run
