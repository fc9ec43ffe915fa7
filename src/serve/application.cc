#include "serve/application.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <future>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <thread>

#include "api/artifacts.h"
#include "api/housekeeping.h"
#include "api/profiles.h"
#include "api/routes.h"
#include "api/tool_checks.h"
#include "base/data_folder.h"
#include "base/io_threads.h"
#include "base/log.h"
#include "dataset/table_cache.h"
#include "engine/conductor.h"
#include "http/server.h"
#include "run/leftovers.h"
#include "run/log_writer.h"
#include "run/native/dataset_operations.h"
#include "run/old_logs.h"
#include "run/remote_files.h"
#include "run/runner.h"
#include "run/spark_check.h"
#include "serve/access.h"
#include "serve/backup.h"
#include "serve/catalog_place.h"
#include "serve/connections.h"
#include "serve/disk_gauge.h"
#include "serve/engine_ports.h"
#include "serve/environments.h"
#include "serve/open_files.h"
#include "serve/part_options.h"
#include "serve/repair.h"
#include "serve/store_place.h"
#include "serve/webhooks.h"
#include "store/store.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIoThreads = 2;
constexpr std::size_t kBlockingThreads = 4;
constexpr std::size_t kTableCacheBytes = std::size_t{64} << 20;
constexpr std::size_t kProfileBytes = std::size_t{16} << 20;
constexpr std::size_t kEventsInMemory = 16'384;
constexpr std::chrono::milliseconds kRequestGrace{1000};
constexpr std::chrono::milliseconds kLongestEnd{9500};

// What the HTTP server tells of each answer, as Prometheus numbers.
http::Server::Observer count_answers(prometheus::Registry& registry) {
  auto& answers = prometheus::BuildCounter().Name("orchestra_http_requests_total").Help("HTTP answers").Register(registry);
  auto& seconds =
      prometheus::BuildHistogram().Name("orchestra_http_request_seconds").Help("Time to an answer").Register(registry);
  return [&](std::string_view method, std::string_view pattern, unsigned status, double took) {
    prometheus::Labels labels{{"method", std::string(method)}, {"route", std::string(pattern)}};
    seconds.Add(labels, prometheus::Histogram::BucketBoundaries{.001, .003, .01, .03, .1, .3, 1, 3, 10}).Observe(took);
    labels.emplace("status", std::to_string(status));
    answers.Add(labels).Increment();
  };
}

// Until the I/O threads stop.
Awaitable<void> keep_house_at_intervals(const api::Context& context, std::chrono::microseconds interval) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    co_await api::keep_house(context);
    timer.expires_after(interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

class Application {
 public:
  Application(const Options& options, DataFolder data)
      : options_(options), data_(std::move(data)), native_pool_(std::max<std::size_t>(2, std::thread::hardware_concurrency())) {}

  Status start();
  void wait_for_signal();
  void stop();

 private:
  run::RunOptions run_options();
  Status check_spark();
  Status start_storage();
  std::unique_ptr<observe::Webhooks> make_webhooks();
  Status start_engine();
  void make_again(const catalog::Revision& damaged);
  Status start_http();
  void fill_context();
  Result<api::SweptFiles> sweep_logs(bool dry_run);

  const Options options_;
  http::Access access_;  // set by start()
  const DataFolder data_;
  const std::vector<std::string> environment_ = all_variables();
  std::map<std::string, std::string> connections_;
  run::SparkOptions spark_;  // set by start()
  RunningMark mark_{data_.path() / "running", RunningMark::this_boot()};
  // Destroyed from the last to the first. The I/O threads are stopped by stop(), so that nothing runs on them while the rest goes;
  // what still posts work to them, until it is gone itself, posts it in vain.
  IoThreads io_{kIoThreads};
  asio::signal_set signals_{io_.executor(), SIGTERM, SIGINT};
  std::promise<int> signalled_;
  std::shared_ptr<Clock> clock_ = std::make_shared<SystemClock>();
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  Bell logs_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<observe::Hub> hub_;
  std::unique_ptr<observe::Webhooks> webhooks_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<DiskGauge> disk_;
  dataset::TableCache table_cache_{kTableCacheBytes};
  BlockingPool pool_{kBlockingThreads};
  BlockingPool native_pool_;
  api::Profiles profiles_{pool_, kProfileBytes};
  api::Context context_;
  api::ToolIndexes tools_;
  http::Router router_;
  std::unique_ptr<engine::Runner> runner_;
  std::shared_ptr<engine::Conductor> conductor_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<dataset::Poster> poster_;
};

run::RunOptions Application::run_options() {
  auto options = run_options_of(options_, spark_);
  options.executor = io_.executor();
  options.pool = &pool_;
  options.native_pool = &native_pool_;
  options.store = store_.get();
  options.data = data_.path();
  run::DatasetOptions dataset{.store = store_.get()};
  dataset.download.policy = context_.urls;
  options.native = run::dataset_operations(dataset);
  options.remote = {.policy = context_.remote, .environment = run::remote_environment(environment_)};
  options.connections = connections_;
  options.log_grew = [this](engine::RevisionKey, int) { logs_.advance(); };
  return options;
}

std::unique_ptr<observe::Webhooks> Application::make_webhooks() {
  poster_ = std::make_unique<dataset::Poster>(dataset::PosterOptions{.policy = context_.urls});
  observe::Webhooks::Parts parts{.executor = io_.executor(),
                                 .clock = clock_,
                                 .catalog = catalog_.get(),
                                 .hub = hub_.get(),
                                 .pool = &pool_,
                                 .send = send_through(*poster_)};
  return std::make_unique<observe::Webhooks>(std::move(parts), retry_schedule(options_));
}

// What can be known without the start of a JVM. Nobody else waits for children yet.
Status Application::check_spark() {
  LO_ASSIGN(spark_, read_spark(options_.spark, environment_));
  if (spark_.place.kind == run::SparkPlace::Kind::local && spark_.defaults.empty()) return {};
  LO_ASSIGN(auto answer, run::check_spark({.python = python_options_of(options_), .spark = spark_, .store = {}}));
  log::info("builder steps compute on {}: {}", spark_.place.name(), answer.says);
  return {};
}

Status Application::start_storage() {
  LO_ASSIGN(catalog_, open_catalog(data_.path(), options_.catalog));
  LO_ASSIGN(auto store, take_store(data_.path(), options_.store));
  if (!options_.store.empty()) mark_ = RunningMark(store / "running", RunningMark::this_boot());  // where the next machine finds it
  LO_ASSIGN(store_, store::open_local_store(store, store_options(options_)));
  LO_ASSIGN(auto last, catalog_->last_event());
  disk_ = std::make_unique<DiskGauge>([folders = std::vector{data_.path(), store}] { return read_fullest_disk(folders); }, options_.disk_full_percent, clock_, pool_);
  hub_ = std::make_unique<observe::Hub>(kEventsInMemory, last);
  webhooks_ = make_webhooks();
  catalog_->on_events([this](std::span<const catalog::Event> events) {
    hub_->publish(events);
    webhooks_->news();
    logs_.advance();  // who follows a log waits for its end too
  });
  return {};
}

void Application::fill_context() {
  context_.catalog = catalog_.get();
  context_.store = store_.get();
  context_.tables = &table_cache_;
  context_.profiles = &profiles_;
  context_.hub = hub_.get();
  context_.webhooks = webhooks_.get();
  context_.pool = &pool_;
  context_.clock = clock_;
  context_.metrics = metrics_;
  context_.tools = &tools_;
  tools_.add("scikitlearn", options_.home / "build" / "tool-index" / "python.json");
  tools_.add("tensorflow", options_.home / "build" / "tool-index" / "tensorflow.json");
  tools_.widen(options_.tool_modules);
  context_.log_path = [this](engine::RevisionKey key, int attempt) { return run::log_path(data_.path(), key, attempt); };
  context_.logs = &logs_;
  context_.runners = [this] { return runner_->status(); };
  context_.check_room = [this] { return disk_->check(); };
  context_.sweep_logs = [this](bool dry_run) { return sweep_logs(dry_run); };
  context_.keep = keep_of(options_);
  context_.remote = {.s3 = run::has_s3_credentials(variables_in(environment_)), .hdfs = options_.hdfs};
  for (const auto& [name, url] : connections_) context_.connections.push_back(name);
}

Result<api::SweptFiles> Application::sweep_logs(bool dry_run) {
  auto revisions_of = [this](catalog::StepId step) -> Result<std::map<int, bool>> {
    LO_ASSIGN(auto revisions, catalog_->revisions(step));
    std::map<int, bool> ended;
    for (const auto& revision : revisions) ended[revision.key.revision] = is_terminal(revision.state);
    return ended;
  };
  LO_ASSIGN(auto removed, run::remove_old_logs(data_.path(), log_rules_of(options_), revisions_of, dry_run));
  return api::SweptFiles{.count = removed.count, .bytes = removed.bytes};
}

Status Application::start_engine() {
  LO_ASSIGN(connections_, read_connections(options_.connections, environment_));
  fill_context();
  LO_ASSIGN(runner_, run::make_runner(run_options()));
  context_.runner = runner_.get();
  LO_ASSIGN(auto live, catalog_->live_digests());
  LO_TRY(store_->sweep(live));
  LO_TRY(remove_unused_environments(*catalog_, data_.path()));
  conductor_ = engine::Conductor::make(engine_ports(io_.executor(), context_, options_.home), plan_options_of(options_));
  context_.conductor = conductor_.get();
  std::vector<catalog::Revision> damaged;
  if (mark_.machine_went_down()) {
    LO_ASSIGN(damaged, remove_damaged_results(*catalog_, *store_));
  }
  LO_TRY(conductor_->recover());
  runner_->warm();  // not before: it would take a processor from reading the catalog
  for (const auto& revision : damaged) make_again(revision);
  return mark_.set();  // only now: a server that dies before checks again
}

// Returns when the new revision is on disk.
void Application::make_again(const catalog::Revision& damaged) {
  std::promise<void> done;
  conductor_->revise(engine::again(damaged), [&](Result<engine::Accepted> accepted) {
    if (!accepted) log::warn("\"{}\" is not made again: {}", damaged.name, accepted.error().message);
    done.set_value();
  });
  done.get_future().wait();
}

Status Application::start_http() {
  api::add_routes(router_, context_);
  http::ServerOptions options;
  options.host = options_.host;
  options.port = options_.port;
  options.access = access_;
  options.max_connections = connections_within(raise_open_files());
  server_ = std::make_unique<http::Server>(io_.executor(), router_, options);
  server_->on_answer(count_answers(*metrics_));
  LO_TRY(server_->start());
  auto url = url_of(options_, server_->port());
  LO_TRY(data_.announce(url));
  if (!options_.port_file.empty()) LO_TRY(write_whole_file(options_.port_file, std::to_string(server_->port())));
  log::info("serving {} with the data in {}", url, data_.path().string());
  return {};
}

Status Application::start() {
  LO_ASSIGN(access_, read_access(options_));
  auto files = files_of_access(options_, access_);
  LO_ASSIGN(context_.urls, read_url_policy(options_));
  LO_TRY(check_spark());
  // Before anybody can know of the server, so that no signal is missed.
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (!error) signalled_.set_value(signal);
  });
  LO_TRY(start_storage());
  LO_TRY(start_engine());
  LO_TRY(webhooks_->start());
  asio::co_spawn(io_.executor(), keep_house_at_intervals(context_, housekeeping_interval(options_)), asio::detached);
  asio::co_spawn(io_.executor(), reread_at_intervals(std::move(files), pool_), asio::detached);
  return start_http();
}

void Application::wait_for_signal() {
  log::info("stopping: {}", signalled_.get_future().get() == SIGINT ? "SIGINT" : "SIGTERM");
}

// Stops accepting, ends running steps or hands them back to the queue, saves. The process is gone after kLongestEnd in any case:
// what did not end in order by then is taken up at the next start like after a kill -9.
void Application::stop() {
  asio::steady_timer deadline(io_.executor(), kLongestEnd);
  deadline.async_wait([](boost::system::error_code error) {
    if (!error) std::_Exit(EXIT_FAILURE);
  });
  hub_->close();
  logs_.close();
  webhooks_->close();
  poster_->cancel();
  profiles_.close();
  std::promise<void> served;
  server_->stop(kRequestGrace, [&] { served.set_value(); });
  served.get_future().wait();
  std::promise<void> ended;
  conductor_->shutdown([&] { ended.set_value(); });
  ended.get_future().wait();
  mark_.clear();
  deadline.cancel();
  io_.stop();
}

}  // namespace

int run(const Options& options) {
  init_log(options.log_level.c_str());
  auto data = DataFolder::hold(options.data);
  if (!data) {
    log::error("{}", data.error().message);
    return data.error().code == Code::conflict ? kHeld : EXIT_FAILURE;
  }
  if (is_half_restored(data->path())) {
    log::error("a restore into {} did not end: run it again", data->path().string());
    return EXIT_FAILURE;
  }
  Application application(options, *std::move(data));
  if (auto started = application.start(); !started) {
    log::error("{}", started.error().message);
    std::_Exit(EXIT_FAILURE);  // nothing was taken in yet; what was started dies with the sockets
  }
  application.wait_for_signal();
  application.stop();
  log::info("stopped");
  return EXIT_SUCCESS;
}

}  // namespace lo::serve
