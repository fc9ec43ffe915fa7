// Native steps that do nothing, from submission to the end on disk: engine, catalog on SQLite (every commit with fsync) and runner, without HTTP.
#include <benchmark/benchmark.h>

#include <atomic>
#include <future>

#include "base/io_threads.h"
#include "base/testing/temporary_folder.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "engine/conductor.h"
#include "run/runner.h"
#include "run/testing/fake_store.h"

namespace lo::run {
namespace {

constexpr auto kService = "dataset/nothing";

// A server's engine; run it in the repository's folder, with the environment `python` made.
class Machine {
 public:
  Machine() {
    RunOptions options;
    options.executor = io_.executor();
    options.pool = &pool_;
    options.native_pool = &native_pool_;
    options.store = &store_;
    options.data = folder_.path() / "data";
    options.python.runtime = std::filesystem::absolute("runtime/python");
    options.python.python = std::filesystem::absolute("build/environments/python/bin/python");
    options.native[kService] = [](const engine::JobRequest&, const store::Staging&, NativeContext&) -> Result<engine::Outcome> {
      engine::Outcome outcome;
      outcome.state = State::finished;
      outcome.manifest = {{"kind", "none"}, {"parts", json::array()}};
      return outcome;
    };
    runner_ = make_runner(std::move(options)).value();
    conductor_ = engine::Conductor::make({.executor = io_.executor(),
                                          .clock = std::make_shared<SystemClock>(),
                                          .catalog = catalog_.get(),
                                          .runner = runner_.get(),
                                          .pool = &pool_,
                                          .settle = [](json::object) {}},
                                         {.cpu_capacity = 2});
    catalog_->on_events([this](std::span<const catalog::Event> events) {
      for (const auto& event : events)
        if (event.type == "finished" && --open_ == 0) all_ended_.set_value();
    });
  }
  ~Machine() {
    std::promise<void> done;
    conductor_->shutdown([&] { done.set_value(); });
    done.get_future().wait();
    io_.stop();
  }

  void run(int steps) {
    open_ = steps;
    all_ended_ = {};
    for (int i = 0; i < steps; ++i) {
      engine::Submission submission;
      submission.steps.push_back({.name = "step" + std::to_string(++made_), .service = kService, .request = json::object{{"number", i}}, .labels = {}});
      conductor_->submit(std::move(submission), [](auto accepted) { (void)accepted.value(); });
    }
    all_ended_.get_future().wait();
  }

 private:
  TemporaryFolder folder_;
  FakeStore store_{folder_.path() / "store"};
  IoThreads io_{2};
  std::unique_ptr<catalog::Catalog> catalog_ = catalog::open_sqlite_catalog(folder_.path() / "catalog.sqlite").value();
  BlockingPool pool_{4};
  BlockingPool native_pool_{2};
  std::unique_ptr<engine::Runner> runner_;
  std::shared_ptr<engine::Conductor> conductor_;
  std::promise<void> all_ended_;
  std::atomic<int> open_ = 0;
  int made_ = 0;
};

void native_steps(benchmark::State& state) {
  Machine machine;
  machine.run(100);
  for (auto _ : state) machine.run(static_cast<int>(state.range(0)));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(native_steps)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lo::run
