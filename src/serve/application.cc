#include "serve/application.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <future>
#include <unistd.h>
#include <map>
#include <optional>
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
#include "engine/mirror.h"
#include "http/server.h"
#include "run/log_writer.h"
#include "run/old_logs.h"
#include "run/remote_files.h"
#include "serve/access.h"
#include "serve/answer_metrics.h"
#include "serve/backup.h"
#include "serve/catalog_place.h"
#include "serve/connections.h"
#include "serve/disk_gauge.h"
#include "serve/deciding.h"
#include "serve/front.h"
#include "serve/group.h"
#include "serve/open_files.h"
#include "serve/part_options.h"
#include "serve/store_place.h"
#include "serve/webhooks.h"
#include "store/bucket_store.h"

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
constexpr int kBeginAnew = -1;  // in place of a signal
constexpr unsigned kLastWait = 5;  // seconds

class Application {
 public:
  Application(const Options& options, DataFolder data)
      : options_(options), data_(std::move(data)), native_pool_(std::max<std::size_t>(2, std::thread::hardware_concurrency())) {}

  Status start();
  void wait_for_end();
  bool stop();  // whether the server is to begin anew

 private:
  Status check_group() const;
  Status open_catalog();
  Status open_store();
  Status start_storage();
  void follow(std::int64_t last_event);
  std::unique_ptr<observe::Webhooks> make_webhooks();
  Deciding::Parts deciding_parts();
  Status decide();
  Status start_group();
  Status start_http();
  void end(int signal);
  void fill_context();
  void ask_standing(std::string name, Callback<std::optional<engine::Standing>> done);
  Result<api::SweptFiles> sweep_logs(bool dry_run);

  const Options options_;
  http::Access access_;  // set by start()
  const DataFolder data_;
  const std::vector<std::string> environment_ = all_variables();
  std::map<std::string, std::string> connections_;
  // Destroyed from the last to the first. The I/O threads are stopped by stop(), so that nothing runs on them while the rest goes;
  // what still posts work to them, until it is gone itself, posts it in vain.
  IoThreads io_{kIoThreads};
  asio::signal_set signals_{io_.executor(), SIGTERM, SIGINT};
  std::promise<int> ending_;  // the signal, or kBeginAnew
  std::atomic<bool> is_ending_ = false, is_signalled_ = false;
  std::shared_ptr<Clock> clock_ = std::make_shared<SystemClock>();
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  Bell logs_;
  std::filesystem::path store_folder_;  // of the results, or of those that were used lately
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<observe::Hub> hub_;
  std::unique_ptr<observe::Webhooks> webhooks_;
  std::optional<engine::Mirror> mirror_;  // where this server is one of several; the catalog tells it until its own end
  std::unique_ptr<catalog::Catalog> catalog_;
  catalog::SharedCatalog* shared_ = nullptr;  // catalog_, where it is one
  std::unique_ptr<DiskGauge> disk_;
  dataset::TableCache table_cache_{kTableCacheBytes};
  BlockingPool pool_{kBlockingThreads};
  BlockingPool native_pool_;
  api::Profiles profiles_{pool_, kProfileBytes};
  api::Context context_;
  api::ToolIndexes tools_;
  http::Router router_, front_;
  std::optional<Deciding> deciding_;
  std::optional<http::Upstream> upstream_;
  std::unique_ptr<Group> group_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<dataset::Poster> poster_;
};

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

Status Application::check_group() const {
  if (options_.advertise.empty()) return {};
  if (options_.catalog.empty()) return fail(Code::unacceptable, "--advertise: servers that work together share a catalog: name it by --catalog postgresql://…");
  if (options_.advertise.starts_with("https:") == options_.tls_certificate.empty())
    return fail(Code::unacceptable, "--advertise: the address begins with https where the server has a --tls-certificate, else with http");
  if (options_.store.empty()) return fail(Code::unacceptable, "--advertise: servers that work together share their results: name a mount that all have by --store");
  return {};
}

Status Application::open_catalog() {
  if (options_.advertise.empty()) {
    LO_ASSIGN(catalog_, serve::open_catalog(data_.path(), options_.catalog));
    return {};
  }
  LO_ASSIGN(auto shared, share_catalog(data_.path(), options_.catalog, options_.advertise));
  shared_ = shared.get();
  catalog_ = std::move(shared);
  return {};
}

Status Application::open_store() {
  if (!is_bucket(options_.store)) {
    LO_ASSIGN(store_folder_, take_store(data_.path(), options_.store));
    LO_ASSIGN(store_, store::open_local_store(store_folder_, store_options(options_)));
    return {};
  }
  LO_ASSIGN(auto bucket, store::open_s3_bucket(options_.store));
  LO_ASSIGN(store_folder_, take_bucket(data_.path(), options_.store, *bucket));
  LO_ASSIGN(store_, store::open_bucket_store(store_folder_, std::move(bucket), bucket_options(options_, pool_, [this] { return is_ending_.load(); })));
  return {};
}

Status Application::start_storage() {
  LO_TRY(open_catalog());
  LO_TRY(open_store());
  LO_ASSIGN(auto last, catalog_->last_event());
  disk_ = std::make_unique<DiskGauge>([folders = std::vector{data_.path(), store_folder_}] { return read_fullest_disk(folders); }, options_.disk_full_percent, clock_, pool_);
  hub_ = std::make_unique<observe::Hub>(kEventsInMemory, last);
  webhooks_ = make_webhooks();
  catalog_->on_events([this](std::span<const catalog::Event> events) {
    hub_->publish(events);
    webhooks_->news();
    logs_.advance();  // who follows a log waits for its end too
    if (mirror_) mirror_->changed(events);
  });
  if (shared_ != nullptr) follow(last);
  return {};
}

// Everything before is read, everything after is heard of.
void Application::follow(std::int64_t last_event) {
  engine::MirrorPorts ports{.executor = io_.executor(), .pool = &pool_, .catalog = catalog_.get()};
  ports.each_named = [this](const auto& names, const auto& outline, const auto& step, const auto& revision) {
    return shared_->each_named(names, outline, step, revision);
  };
  mirror_.emplace(std::move(ports));
  shared_->follow(last_event);
  mirror_->start();
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
  context_.standing = [this](std::string name, auto done) { ask_standing(std::move(name), std::move(done)); };
  if (shared_ != nullptr) context_.follows = [this]() -> std::optional<std::string> { return group_->leads() ? std::nullopt : std::optional(group_->leader()); };
  context_.check_room = [this] { return disk_->check(); };
  context_.sweep_logs = [this](bool dry_run) { return sweep_logs(dry_run); };
  context_.keep = keep_of(options_);
  context_.remote = {.s3 = run::has_s3_credentials(variables_in(environment_)), .hdfs = options_.hdfs};
  for (const auto& [name, url] : connections_) context_.connections.push_back(name);
}

void Application::ask_standing(std::string name, Callback<std::optional<engine::Standing>> done) {
  if (mirror_ && !group_->leads()) return mirror_->standing(std::move(name), std::move(done));
  context_.conductor->standing(std::move(name), std::move(done));
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

Deciding::Parts Application::deciding_parts() {
  return {.options = options_,
          .data = data_.path(),
          .executor = io_.executor(),
          .pool = pool_,
          .native_pool = native_pool_,
          .context = context_,
          .webhooks = *webhooks_,
          .log_grew = [this] { logs_.advance(); },
          .environment = environment_,
          .connections = connections_};
}

Status Application::decide() {
  deciding_.emplace(deciding_parts());
  LO_TRY(deciding_->start());
  if (mirror_) mirror_->stop();
  return {};
}

// Where this server is one of several, it decides only when it leads; it answers before that.
Status Application::start_group() {
  LO_ASSIGN(upstream_, http::Upstream::make(options_.tls_certificate, [this](const std::string& address) { return group_->leader() == address; }));
  Group::Events events{.take_over = [this] { return decide(); },
                       .end = [this](const std::string& why) {
                         log::error("{}", why);
                         end(kBeginAnew);
                       }};
  group_ = std::make_unique<Group>(*shared_, options_.advertise, std::move(events));
  add_front_routes(front_, router_, *group_, *upstream_);
  return {};
}

void Application::end(int signal) {
  if (!is_ending_.exchange(true)) ending_.set_value(signal);
}

Status Application::start_http() {
  http::ServerOptions options;
  options.host = options_.host;
  options.port = options_.port;
  options.access = access_;
  options.max_connections = connections_within(raise_open_files());
  server_ = std::make_unique<http::Server>(io_.executor(), shared_ == nullptr ? router_ : front_, options);
  server_->on_answer(count_answers(*metrics_));
  LO_TRY(server_->start());
  auto url = url_of(options_, server_->port());
  LO_TRY(data_.announce(url));
  if (!options_.port_file.empty()) LO_TRY(write_whole_file(options_.port_file, std::to_string(server_->port())));
  log::info("serving {} with the data in {}", url, data_.path().string());
  return {};
}

Status Application::start() {
  LO_TRY(check_group());
  LO_ASSIGN(access_, read_access(options_));
  if (!options_.advertise.empty()) access_.hosts.push_back(options_.advertise.substr(options_.advertise.find("//") + 2));  // as which others ask it
  auto files = files_of_access(options_, access_);
  LO_ASSIGN(context_.urls, read_url_policy(options_));
  // Before anybody can know of the server, so that no signal is missed.
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    is_signalled_ = true;
    end(signal);
  });
  LO_TRY(start_storage());
  LO_ASSIGN(connections_, read_connections(options_.connections, environment_));
  fill_context();
  api::add_routes(router_, context_);
  LO_TRY(shared_ == nullptr ? decide() : start_group());
  asio::co_spawn(io_.executor(), reread_at_intervals(std::move(files), pool_), asio::detached);
  return start_http();
}

void Application::wait_for_end() {
  auto signal = ending_.get_future().get();
  log::info("stopping: {}", signal == kBeginAnew ? "to begin anew" : signal == SIGINT ? "SIGINT" : "SIGTERM");
}

// Stops accepting, ends running steps or hands them back to the queue, saves. The process is gone after kLongestEnd in any case:
// what did not end in order by then is taken up at the next start like after a kill -9.
bool Application::stop() {
  asio::steady_timer deadline(io_.executor(), kLongestEnd);
  deadline.async_wait([](boost::system::error_code error) {
    if (!error) std::_Exit(EXIT_FAILURE);
  });
  if (group_) group_->stop();  // it does not begin to lead now
  hub_->close();
  logs_.close();
  webhooks_->close();
  poster_->cancel();
  profiles_.close();
  std::promise<void> served;
  server_->stop(kRequestGrace, [&] { served.set_value(); });
  served.get_future().wait();
  if (deciding_) deciding_->stop(group_ && !group_->leads());
  deadline.cancel();
  io_.stop();
  signals_.clear();     // one that comes now ends the process at once: all is saved
  ::alarm(kLastWait);  // for what disks and buckets hold up
  return !is_signalled_;
}

constexpr int kAgain = -1;  // no exit status: to be run once more

// Until its end.
int run_once(const Options& options) {
  auto data = DataFolder::hold(options.data);
  if (!data) {
    log::error("{}", data.error().message);
    return data.error().code == Code::conflict ? kHeld : EXIT_FAILURE;
  }
  if (is_half_restored(data->path())) {
    log::error("a restore into {} did not end: run it again", data->path().string());
    return EXIT_FAILURE;
  }
  bool is_to_begin_anew = false;
  {
    Application application(options, *std::move(data));
    if (auto started = application.start(); !started) {
      log::error("{}", started.error().message);
      std::_Exit(EXIT_FAILURE);  // nothing was taken in yet; what was started dies with the sockets
    }
    application.wait_for_end();
    is_to_begin_anew = application.stop();
  }
  ::alarm(0);
  log::info("stopped");
  return is_to_begin_anew ? kAgain : EXIT_SUCCESS;
}

}  // namespace

int run(const Options& options) {
  init_log(options.log_level.c_str());
  auto status = kAgain;
  while (status == kAgain) status = run_once(options);
  return status;
}

}  // namespace lo::serve
