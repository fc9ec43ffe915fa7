#include "run/spark_server.h"

#include <fcntl.h>

#include <array>
#include <csignal>
#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"
#include "run/environment.h"

namespace lo::run {
namespace {

using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr const char* kBoard = "spark-server";
constexpr milliseconds kProbeInterval{100};  // the port is all that tells of readiness
constexpr milliseconds kStopPatience{5'000};

tcp::endpoint loopback(int port) { return {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}; }

// A port that nobody listens on now. Another process may take it before the JVM does: the start then fails and is tried again.
Result<int> free_port(const Strand& strand) {
  boost::system::error_code error;
  tcp::acceptor acceptor(strand);
  acceptor.open(tcp::v4(), error);
  if (!error) acceptor.bind(loopback(0), error);
  auto endpoint = acceptor.local_endpoint(error);
  if (error) return fail(Code::io, "no free port: " + error.message());
  return endpoint.port();
}

}  // namespace

SparkServer::SparkServer(std::shared_ptr<RunContext> context, std::function<void(const std::string&)> died)
    : context_(std::move(context)),
      died_(std::move(died)),
      timer_(context_->strand),
      deadline_(context_->strand),
      idle_(context_->strand),
      probe_(context_->strand) {
  if (context_->options.spark.url.empty()) publish();
}

void SparkServer::acquire(Acquired acquired) {
  if (stopping_) return acquired(lo::fail(Code::unavailable, "the server is stopping"));
  ++users_;
  idle_.cancel();
  const auto& external = context_->options.spark;
  if (!external.url.empty())
    return acquired(SparkTarget{.url = external.url, .token = external.token, .session = make_uuid()});
  if (!idle_stop_ && lifecycle_.wanted(context_->clock.steady())) start();
  if (lifecycle_.phase() == Phase::warm && !idle_stop_) return give(acquired);
  if (lifecycle_.phase() == Phase::broken) {
    --users_;
    return acquired(lo::fail(Code::unavailable, "the Spark server does not start: see logs/spark-server.log"));
  }
  waiting_.push_back(std::move(acquired));
}

void SparkServer::release() {
  if (--users_ == 0) await_idle();
}

bool SparkServer::is_up() const {
  return !stopping_ && (!context_->options.spark.url.empty() || lifecycle_.phase() == Phase::warm);
}

void SparkServer::give(const Acquired& acquired) {
  acquired(SparkTarget{.url = fmt::format("sc://127.0.0.1:{}", port_), .token = secret_, .session = make_uuid()});
}

void SparkServer::start() {
  publish();
  auto port = free_port(context_->strand);
  if (!port) return after_end(port.error().message);
  secret_ = make_token();
  launch(*port);
}

void SparkServer::launch(int port) {
  port_ = port;
  auto pid = context_->reaper->spawn(spark_server_command(*context_, port, secret_), [weak = weak_from_this()](ExitStatus exit) {
    if (auto self = weak.lock()) self->on_exit(exit);
  });
  if (!pid) return after_end(pid.error().message);
  pid_ = *pid;
  guard();
  publish();
  deadline_.expires_after(context_->options.spark.start_timeout);
  deadline_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error) self->kill_group();
  });
  try_connect();
}

// The JVM knows nothing of the server; a small process that waits for the server's end ends the JVM.
void SparkServer::guard() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return log::warn("run: no guard for the Spark server: no pipe");
  UniqueFd reading(ends[0]);
  guard_ = UniqueFd(ends[1]);
  auto command = guard_command(*context_, pid_);
  command.descriptors = {{reading.get(), 3}};
  if (auto started = context_->reaper->spawn(command, [](ExitStatus) {}); !started)
    log::warn("run: no guard for the Spark server: {}", started.error().message);
}

void SparkServer::try_connect() {
  boost::system::error_code ignored;
  probe_.close(ignored);
  probe_.async_connect(loopback(port_), [weak = weak_from_this(), pid = pid_](auto error) {
    auto self = weak.lock();
    if (!self || self->pid_ != pid || self->lifecycle_.phase() != Phase::starting) return;
    if (!error) return self->became_ready();
    self->timer_.expires_after(kProbeInterval);
    self->timer_.async_wait([weak, pid](auto cancelled) {
      if (auto waiting = weak.lock(); waiting && !cancelled && waiting->pid_ == pid) waiting->try_connect();
    });
  });
}

void SparkServer::became_ready() {
  boost::system::error_code ignored;
  probe_.close(ignored);
  deadline_.cancel();
  lifecycle_.ready(context_->clock.steady());
  publish();
  log::info("run: the Spark server (pid {}) accepts connections", pid_);
  auto waiting = std::exchange(waiting_, {});
  for (const auto& acquired : waiting) give(acquired);
  if (users_ == 0) await_idle();
}

void SparkServer::on_exit(ExitStatus exit) {
  boost::system::error_code ignored;
  probe_.close(ignored);
  timer_.cancel();
  deadline_.cancel();
  guard_.reset();
  auto pid = std::exchange(pid_, 0);
  if (stopping_ || idle_stop_) {
    idle_stop_ = false;
    lifecycle_.stopped();
    publish();
    if (stopped_) return std::exchange(stopped_, nullptr)();
    if (!waiting_.empty() && lifecycle_.wanted(context_->clock.steady())) start();
    return;
  }
  bool was_up = lifecycle_.phase() == Phase::warm;
  log::warn("run: the Spark server (pid {}) ended: {}", pid, describe(exit));
  after_end(describe(exit));
  if (was_up) died_(fmt::format("the Spark server ended ({})", describe(exit)));
}

void SparkServer::after_end(const std::string& why) {
  auto delay = lifecycle_.ended(context_->clock.steady());
  publish();
  if (!delay) return fail_all(fmt::format("the Spark server does not start ({}): see logs/spark-server.log", why));
  timer_.expires_after(*delay);
  timer_.async_wait([weak = weak_from_this()](auto error) {
    auto self = weak.lock();
    if (!self || error) return;
    if (self->waiting_.empty()) {  // nobody needs another: a JVM is too large to be kept for its own sake
      self->lifecycle_.stopped();
      return self->publish();
    }
    if (self->lifecycle_.due()) self->start();
  });
}

void SparkServer::fail_all(const std::string& why) {
  auto waiting = std::exchange(waiting_, {});
  users_ -= static_cast<int>(waiting.size());
  for (const auto& acquired : waiting) acquired(lo::fail(Code::unavailable, why));
}

void SparkServer::await_idle() {
  if (!context_->options.spark.url.empty() || lifecycle_.phase() != Phase::warm) return;
  idle_.expires_after(context_->options.spark.idle);
  idle_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error && self->users_ == 0) self->stop_idle();
  });
}

void SparkServer::stop_idle() {
  if (pid_ == 0) return;
  log::info("run: the Spark server (pid {}) is idle and is stopped", pid_);
  idle_stop_ = true;
  context_->reaper->kill(pid_, SIGTERM);
  timer_.expires_after(kStopPatience);
  timer_.async_wait([weak = weak_from_this()](auto error) {
    if (auto self = weak.lock(); self && !error) self->kill_group();
  });
}

void SparkServer::stop(std::function<void()> done) {
  stopping_ = true;
  timer_.cancel();
  idle_.cancel();
  fail_all("the server is stopping");
  if (pid_ == 0) return done();
  stopped_ = std::move(done);
  kill_group();  // it holds nothing that could be lost
}

// It leads a session and a process group of its own.
void SparkServer::kill_group() {
  if (pid_ != 0) ::kill(-pid_, SIGKILL);
}

void SparkServer::publish() { context_->board.set(kBoard, lifecycle_.phase(), pid_); }

}  // namespace lo::run
