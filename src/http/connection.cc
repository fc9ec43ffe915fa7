#include "http/connection.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include "base/log.h"

namespace lo::http {
namespace {

// Room for a whole header, which Beast limits by itself (twice: the first line, then the fields), or the lines of a chunk.
std::size_t read_capacity(const ServerOptions& options) {
  return std::max<std::size_t>(options.header_limit * 2 + 1024, 64 << 10);
}

}  // namespace

Connection::Connection(std::shared_ptr<const Context> context, Transport transport)
    : context_(std::move(context)),
      strand_(transport.get_executor()),
      peer_(std::make_shared<Peer>(std::move(transport), read_capacity(context_->options))) {}

void Connection::start(std::move_only_function<void()> ended) {
  auto self = shared_from_this();
  asio::co_spawn(
      strand_, [self] { return self->run(); },
      asio::bind_cancellation_slot(life_.slot(), [self, ended = std::move(ended)](std::exception_ptr) mutable { ended(); }));
}

void Connection::drain() {
  asio::post(strand_, [self = shared_from_this()] {
    if (self->life_.idle()) self->peer_->close();
    self->life_.drain();
  });
}

void Connection::abort() {
  asio::post(strand_, [self = shared_from_this()] {
    self->peer_->close();
    self->life_.abort();
  });
}

Awaitable<void> Connection::run() {
  try {
    bool told = co_await peer_->shake_hands(context_->options.header_timeout) && co_await serve_all();
    if (told && !life_.draining()) co_await peer_->linger();
  } catch (const std::exception& exception) {
    if (!life_.cancelled()) log::error("http: a connection ended by an exception: {}", exception.what());
  } catch (...) {
    if (!life_.cancelled()) log::error("http: a connection ended by an exception of unknown type");
  }
  peer_->unwatch();
  peer_->close();
}

// Gives whether the client was told the last word, and should get to read it.
Awaitable<bool> Connection::serve_all() {
  auto first_byte = context_->options.header_timeout;
  while (!life_.draining()) {
    Exchange exchange(*context_, *peer_, life_, kept_);
    auto after = co_await exchange.serve(first_byte);
    if (after != Exchange::After::next_request) co_return after == Exchange::After::close;
    first_byte = context_->options.idle_timeout;
  }
  co_return true;
}

}  // namespace lo::http
