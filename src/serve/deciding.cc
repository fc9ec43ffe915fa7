#include "serve/deciding.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>

#include "api/housekeeping.h"
#include "run/native/dataset_operations.h"
#include "run/remote_files.h"
#include "serve/engine_ports.h"
#include "serve/environments.h"
#include "serve/part_options.h"
#include "serve/store_place.h"

namespace lo::serve {
namespace {

// Until the I/O threads stop.
Awaitable<void> keep_house_at_intervals(const api::Context& context, std::chrono::microseconds interval) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    co_await api::keep_house(context);
    timer.expires_after(interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

// With results elsewhere it lies there, where the next machine finds it.
RunningMark mark_for(const Options& options, const std::filesystem::path& data) {
  auto is_here = options.store.empty() || is_bucket(options.store);
  auto folder = is_here ? data : store_place(options.store);
  return {folder / "running", RunningMark::this_boot()};
}

}  // namespace

Deciding::Deciding(Parts parts) : parts_(std::move(parts)), mark_(mark_for(parts_.options, parts_.data)) {}

run::RunOptions Deciding::run_options() {
  auto& context = parts_.context;
  auto options = run_options_of(parts_.options);
  options.executor = parts_.executor;
  options.pool = &parts_.pool;
  options.native_pool = &parts_.native_pool;
  options.store = context.store;
  options.data = parts_.data;
  run::DatasetOptions dataset{.store = context.store};
  dataset.download.policy = context.urls;
  options.native = run::dataset_operations(dataset);
  options.remote = {.policy = context.remote, .environment = run::remote_environment(parts_.environment)};
  options.connections = parts_.connections;
  options.log_grew = [grew = parts_.log_grew](engine::RevisionKey, int) { grew(); };
  return options;
}

Status Deciding::sweep() {
  LO_ASSIGN(auto live, parts_.context.catalog->live_digests());
  LO_TRY(parts_.context.store->sweep(live));
  return remove_unused_environments(*parts_.context.catalog, parts_.data);
}

Status Deciding::start_engine() {
  auto& context = parts_.context;
  conductor_ = engine::Conductor::make(engine_ports(parts_.executor, context, parts_.options.home), plan_options_of(parts_.options));
  context.conductor = conductor_.get();
  std::vector<catalog::Revision> damaged;
  if (mark_.machine_went_down()) {
    LO_ASSIGN(damaged, remove_damaged_results(*context.catalog, *context.store));
  }
  LO_TRY(conductor_->recover());
  runner_->warm();  // not before: it would take a processor from reading the catalog
  for (const auto& revision : damaged) make_again(*conductor_, revision);
  LO_TRY(mark_.set());  // only now: a server that dies before checks again
  is_marked_ = true;
  return {};
}

Status Deciding::start() {
  LO_ASSIGN(runner_, run::make_runner(run_options()));
  parts_.context.runner = runner_.get();
  parts_.context.runners = [this] { return runner_->status(); };
  LO_TRY(sweep());
  LO_TRY(start_engine());
  LO_TRY(parts_.webhooks.start());
  asio::co_spawn(parts_.executor, keep_house_at_intervals(parts_.context, housekeeping_interval(parts_.options)), asio::detached);
  return {};
}

void Deciding::stop(bool is_overtaken) {
  if (conductor_) {
    std::promise<void> ended;
    conductor_->shutdown([&] { ended.set_value(); });
    ended.get_future().wait();
  }
  if (is_marked_ && !is_overtaken) mark_.clear();
}

}  // namespace lo::serve
