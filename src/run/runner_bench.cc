// What a step costs beyond its own work: a no-op function through the runner, from start() to the last word.
#include <benchmark/benchmark.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <thread>

#include "base/id.h"
#include "run/runner.h"
#include "run/testing/fake_store.h"
#include "run/testing/recorder.h"
#include "base/testing/temporary_folder.h"

namespace lo::run {
namespace {

// The runner with its threads; run it in the repository's folder, with the environment `python` made.
struct Machine {
  TemporaryFolder folder;
  FakeStore store{folder.path() / "store"};
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::jthread thread{[this] { io.run(); }};
  BlockingPool pool{2};
  std::unique_ptr<engine::Runner> runner;

  Machine() {
    RunOptions options;
    options.executor = io.get_executor();
    options.pool = options.native_pool = &pool;
    options.store = &store;
    options.data = folder.path() / "data";
    options.python.runtime = std::filesystem::absolute("runtime/python");
    options.python.python = std::filesystem::absolute("build/environments/python/bin/python");
    runner = make_runner(std::move(options)).value();
  }
  ~Machine() {
    std::promise<void> done;
    runner->shutdown([&] { done.set_value(); });
    done.get_future().wait();
    runner.reset();
    work.reset();
  }
};

void no_op(benchmark::State& state, const char* code) {
  Machine machine;
  auto run = [&](bool whole) {
    engine::JobRequest job;
    job.token = make_token();
    job.members.push_back({.key = {1, 1}, .name = "f", .operation = "function/python", .request = {{"function", code}}});
    auto recorder = std::make_shared<Recorder>();
    machine.runner->start(std::move(job), recorder);
    if (recorder->outcome().state != State::finished) state.SkipWithError(recorder->outcome().exception.c_str());
    if (whole) recorder->wait_end();
  };
  run(true);  // the fork server starts
  for (auto _ : state) run(state.range(0) == 1);
}

BENCHMARK_CAPTURE(no_op, bare_until_outcome, "response = None")->Arg(0)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(no_op, bare_until_job_ended, "response = None")->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(no_op, scientific_until_job_ended, "import numpy\nresponse = None")
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lo::run
