// Commits a second, with 1 and 64 of them outstanding. A commit adds a step with a revision and an event, as a POST does.
#include <benchmark/benchmark.h>

#include <future>

#include "catalog/sqlite/sqlite_catalog.h"
#include "base/testing/temporary_folder.h"
#include "catalog/testing.h"

namespace lo::catalog {
namespace {

Batch make_batch(Catalog& catalog) {
  auto id = catalog.next_step_id();
  auto name = "step-" + std::to_string(id);
  auto revision = make_full_revision({id, 1}, name);
  revision.state = State::queued;
  return {AddStep{make_step(id, name)}, AddRevision{revision}, AddEvent{make_event(name, "accepted")}};
}

// range(0): how many commits are handed over before the first is waited for.
void commits(benchmark::State& state) {
  TemporaryFolder folder;
  auto catalog = open_sqlite_catalog(folder.path() / "catalog.sqlite").value();
  auto outstanding = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    std::vector<Batch> batches;
    for (std::size_t i = 0; i < outstanding; ++i) batches.push_back(make_batch(*catalog));
    for (const auto& status : commit_together(*catalog, std::move(batches)))
      if (!status) state.SkipWithError(status.error().message.c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(commits)->Arg(1)->Arg(64)->UseRealTime()->Unit(benchmark::kMicrosecond);

// range(0): steps in the catalog.
void recovery(benchmark::State& state) {
  TemporaryFolder folder;
  auto file = folder.path() / "catalog.sqlite";
  {
    auto catalog = open_sqlite_catalog(file).value();
    std::vector<Batch> batches;
    for (std::int64_t i = 0; i < state.range(0); ++i) batches.push_back(make_batch(*catalog));
    commit_together(*catalog, std::move(batches));
  }
  for (auto _ : state) {
    auto catalog = open_sqlite_catalog(file).value();
    benchmark::DoNotOptimize(catalog->all_steps());
    benchmark::DoNotOptimize(catalog->all_revisions());
  }
}
BENCHMARK(recovery)->Arg(0)->Arg(10'000)->UseRealTime()->Unit(benchmark::kMillisecond);

void find_step(benchmark::State& state) {
  TemporaryFolder folder;
  auto catalog = open_sqlite_catalog(folder.path() / "catalog.sqlite").value();
  for (int i = 0; i < 1000; ++i) catalog->commit(make_batch(*catalog), {});
  auto last = make_batch(*catalog);
  auto name = std::get<AddStep>(last.front()).step.name;
  (void)commit(*catalog, std::move(last));
  for (auto _ : state) benchmark::DoNotOptimize(catalog->find_step(name));
}
BENCHMARK(find_step);

}  // namespace
}  // namespace lo::catalog
