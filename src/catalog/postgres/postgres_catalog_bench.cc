// What sqlite_catalog_bench.cc measures, with the catalog in a PostgreSQL on the same disk, over a Unix socket.
#include <benchmark/benchmark.h>

#include "catalog/postgres/connection.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/testing/private_server.h"
#include "catalog/testing.h"

namespace lo::catalog {
namespace {

using postgres::Connection;
using postgres::PrivateServer;

// An empty catalog each time.
std::string fresh_url() {
  static PrivateServer server(PrivateServer::Disk::is_waited_for);
  static int made = 0;
  auto name = fmt::format("bench_{}", ++made);
  (void)Connection::open(server.url("postgres")).value().execute("CREATE DATABASE " + name);
  return server.url(name);
}

Batch make_batch(Catalog& catalog) {
  auto id = catalog.next_step_id();
  auto name = "step-" + std::to_string(id);
  auto revision = make_full_revision({id, 1}, name);
  revision.state = State::queued;
  return {AddStep{make_step(id, name)}, AddRevision{revision}, AddEvent{make_event(name, "accepted")}};
}

// range(0): how many commits are handed over before the first is waited for.
void postgres_commits(benchmark::State& state) {
  auto catalog = open_postgres_catalog(fresh_url()).value();
  auto outstanding = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    std::vector<Batch> batches;
    for (std::size_t i = 0; i < outstanding; ++i) batches.push_back(make_batch(*catalog));
    for (const auto& status : commit_together(*catalog, std::move(batches)))
      if (!status) state.SkipWithError(status.error().message.c_str());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(postgres_commits)->Arg(1)->Arg(64)->UseRealTime()->Unit(benchmark::kMicrosecond);

// range(0): steps in the catalog.
void postgres_recovery(benchmark::State& state) {
  auto url = fresh_url();
  {
    auto catalog = open_postgres_catalog(url).value();
    std::vector<Batch> batches;
    for (std::int64_t i = 0; i < state.range(0); ++i) batches.push_back(make_batch(*catalog));
    commit_together(*catalog, std::move(batches));
  }
  for (auto _ : state) {
    auto catalog = open_postgres_catalog(url).value();
    benchmark::DoNotOptimize(catalog->all_steps());
    benchmark::DoNotOptimize(catalog->all_revisions());
  }
}
BENCHMARK(postgres_recovery)->Arg(0)->Arg(10'000)->UseRealTime()->Unit(benchmark::kMillisecond);

void postgres_find_step(benchmark::State& state) {
  auto catalog = open_postgres_catalog(fresh_url()).value();
  for (int i = 0; i < 1000; ++i) catalog->commit(make_batch(*catalog), {});
  auto last = make_batch(*catalog);
  auto name = std::get<AddStep>(last.front()).step.name;
  (void)commit(*catalog, std::move(last));
  for (auto _ : state) benchmark::DoNotOptimize(catalog->find_step(name));
}
BENCHMARK(postgres_find_step)->UseRealTime();

}  // namespace
}  // namespace lo::catalog
