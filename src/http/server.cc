#include "http/server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/log.h"
#include "http/connection.h"
#include "http/listener.h"

namespace lo::http {
namespace {

using asio::ip::tcp;

constexpr std::chrono::milliseconds kRetryAccept{100};
constexpr std::chrono::seconds kLastWait{1};  // after cancelling, for handlers that do not end

}  // namespace

// Members after the constants are touched on strand_ only, save that start() fills in the acceptor before there is a loop.
class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(asio::any_io_executor executor, const Router& router, ServerOptions options)
      : executor_(executor),
        strand_(asio::make_strand(executor)),
        context_(
            std::make_shared<Context>(Context{.router = router, .options = std::move(options), .here = {}, .observer = {}})),
        acceptor_(strand_),
        room_(strand_),
        grace_(strand_) {}

  Status start();
  void stop(std::chrono::milliseconds grace, std::move_only_function<void()> done);
  std::uint16_t port() const { return context_->here.port; }
  void on_answer(Observer observer) { context_->observer = std::move(observer); }

 private:
  Awaitable<void> accept_loop();
  int accept_all();
  void adopt(UniqueFd fd);
  void remove(const std::shared_ptr<Connection>& connection);
  void begin_stop(std::chrono::milliseconds grace);
  void end_grace();
  void finish();

  const asio::any_io_executor executor_;
  const Strand strand_;
  const std::shared_ptr<Context> context_;  // constant once started
  tcp protocol_ = tcp::v4();

  tcp::acceptor acceptor_;
  asio::steady_timer room_;  // wakes the accept loop when there is room again, or it is time to try again
  asio::steady_timer grace_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::move_only_function<void()>> done_;
  bool stopping_ = false;
  bool aborted_ = false;
  bool finished_ = false;
};

Status Server::Impl::start() {
  const auto& access = context_->options.access;
  LO_ASSIGN(auto listening, listen_on(context_->options.host, context_->options.port, access.tokens != nullptr));
  context_->here = {.host = listening.address, .port = listening.port, .names = access.hosts, .tls = access.tls != nullptr, .behind_proxy = access.behind_proxy};
  protocol_ = listening.v6 ? tcp::v6() : tcp::v4();
  acceptor_.assign(protocol_, listening.fd.release());
  asio::co_spawn(strand_, [self = shared_from_this()] { return self->accept_loop(); }, asio::detached);
  return {};
}

Awaitable<void> Server::Impl::accept_loop() {
  while (!stopping_) {
    auto [error] = co_await acceptor_.async_wait(tcp::acceptor::wait_read, asio::as_tuple(asio::use_awaitable));
    if (error || stopping_) break;
    auto why = accept_all();
    if (why == EAGAIN) continue;
    // No room, or no descriptors left (EMFILE and its like): whoever waits does so in the kernel's queue.
    room_.expires_at(why == 0 ? std::chrono::steady_clock::time_point::max() : std::chrono::steady_clock::now() + kRetryAccept);
    co_await room_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

// Takes in who waits, while there is room; gives why it stopped: EAGAIN when nobody waits any more, 0 when there is no room.
int Server::Impl::accept_all() {
  while (connections_.size() < context_->options.max_connections) {
    auto accepted = accept_from(acceptor_.native_handle());
    if (accepted.error == EAGAIN) return EAGAIN;
    if (accepted.error == EMFILE || accepted.error == ENFILE || accepted.error == ENOBUFS || accepted.error == ENOMEM) {
      log::warn("http: cannot accept: {}", std::generic_category().message(accepted.error));
      return accepted.error;
    }
    if (accepted.fd) adopt(std::move(accepted.fd));
  }
  return 0;
}

void Server::Impl::adopt(UniqueFd fd) {
  tcp::socket socket(asio::any_io_executor(asio::make_strand(executor_)));
  boost::system::error_code error;
  socket.assign(protocol_, fd.get(), error);
  if (error) return log::warn("http: cannot serve a connection: {}", error.message());
  fd.release();
  const auto& tls = context_->options.access.tls;
  auto connection = std::make_shared<Connection>(context_, Transport(std::move(socket), tls ? tls->get() : nullptr));
  connections_.insert(connection);
  connection->start(
      [self = shared_from_this(), connection] { asio::post(self->strand_, [self, connection] { self->remove(connection); }); });
}

void Server::Impl::remove(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
  room_.cancel();
  if (stopping_ && connections_.empty()) finish();
}

void Server::Impl::stop(std::chrono::milliseconds grace, std::move_only_function<void()> done) {
  asio::dispatch(strand_, [self = shared_from_this(), grace, done = std::move(done)]() mutable {
    if (done) self->done_.push_back(std::move(done));
    self->begin_stop(grace);
  });
}

void Server::Impl::begin_stop(std::chrono::milliseconds grace) {
  if (!std::exchange(stopping_, true)) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    room_.cancel();
    for (const auto& connection : connections_) connection->drain();
  }
  if (connections_.empty() || finished_) return finish();
  if (aborted_) return;
  auto end = std::chrono::steady_clock::now() + grace;
  if (grace_.expiry() != std::chrono::steady_clock::time_point() && grace_.expiry() <= end) return;
  grace_.expires_at(end);
  grace_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->end_grace();
  });
}

void Server::Impl::end_grace() {
  if (finished_) return;
  if (std::exchange(aborted_, true)) return finish();
  for (const auto& connection : connections_) connection->abort();
  grace_.expires_after(kLastWait);
  grace_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->end_grace();
  });
}

void Server::Impl::finish() {
  if (!connections_.empty() && !finished_)
    log::error("http: {} handlers did not end when they were cancelled", connections_.size());
  finished_ = true;
  grace_.cancel();
  for (auto& done : std::exchange(done_, {})) done();
}

Server::Server(asio::any_io_executor executor, const Router& router, ServerOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), router, std::move(options))) {}

Server::~Server() { impl_->stop(std::chrono::milliseconds(0), nullptr); }

Status Server::start() { return impl_->start(); }

std::uint16_t Server::port() const { return impl_->port(); }

void Server::on_answer(Observer observer) { impl_->on_answer(std::move(observer)); }

void Server::stop(std::chrono::milliseconds grace, std::move_only_function<void()> done) {
  impl_->stop(grace, std::move(done));
}

}  // namespace lo::http
