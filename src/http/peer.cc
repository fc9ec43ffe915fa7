#include "http/peer.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <cstring>
#include <string_view>
#include <tuple>

namespace lo::http {
namespace {

constexpr std::size_t kSmallestRead = 1 << 10;  // room for most requests: thousands of streams each keep two of these
constexpr std::size_t kLargestRead = 64 << 10;
constexpr std::chrono::seconds kLinger{2};
constexpr std::string_view kSpeakTls =  // without a length: its end is the connection's
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis server speaks TLS: begin the URL with https.\n";

}  // namespace

Peer::Peer(Transport transport, std::size_t capacity)
    : transport_(std::move(transport)), capacity_(capacity), landing_(kSmallestRead), timer_(transport_.get_executor()) {}

void Peer::consume(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

Awaitable<Peer::ErrorCode> Peer::more() {
  if (expired_) co_return asio::error::operation_aborted;  // the deadline came when there was nothing to cancel
  if (end_ - begin_ >= capacity_) co_return asio::error::no_buffer_space;
  if (ended()) co_return read_error_;
  if (!reading_) start_read();
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto handler) { waiter_ = [handler = std::move(handler)]() mutable { std::move(handler)(); }; },
      asio::use_awaitable);
  co_return read_error_;
}

void Peer::watch(std::function<void()> left) {
  if (ended()) return left();
  left_ = std::move(left);
  if (!reading_ && end_ - begin_ < capacity_) start_read();
}

// Whether there is nothing to read for ever. Asio waits in vain for a second event when it is asked to read after the end.
bool Peer::ended() const { return !reading_ && read_error_ && read_error_ != asio::error::operation_aborted; }

void Peer::start_read() {
  reading_ = true;
  transport_.async_read_some(asio::buffer(landing_),
                          [self = shared_from_this()](ErrorCode error, std::size_t bytes) { self->on_read(error, bytes); });
}

void Peer::on_read(ErrorCode error, std::size_t bytes) {
  reading_ = false;
  read_error_ = error;
  keep(bytes);
  if (waiter_) return std::exchange(waiter_, nullptr)();
  if (!left_) return;
  if (error) return std::exchange(left_, nullptr)();
  if (end_ - begin_ < capacity_) start_read();
}

// Moves the bytes that landed behind those received before.
void Peer::keep(std::size_t bytes) {
  bool filled = bytes == landing_.size();
  if (begin_ == end_) {
    std::swap(buffered_, landing_);
    begin_ = 0;
    end_ = bytes;
  } else {
    buffered_.erase(buffered_.begin(), buffered_.begin() + static_cast<std::ptrdiff_t>(begin_));
    end_ -= std::exchange(begin_, 0);
    buffered_.resize(std::max(buffered_.size(), end_ + bytes));
    std::memcpy(buffered_.data() + end_, landing_.data(), bytes);
    end_ += bytes;
  }
  auto size = std::max(landing_.size(), kSmallestRead);
  landing_.resize(filled ? std::min(size * 2, kLargestRead) : size);
}

Awaitable<bool> Peer::write(Pieces pieces, std::chrono::milliseconds stall) {
  if (!whole_) co_return false;
  boost::beast::buffers_suffix<Pieces> rest(pieces);
  whole_ = false;
  while (asio::buffer_size(rest) > 0) {
    expire_after(stall);
    auto [error, bytes] = co_await transport_.async_write_some(rest, asio::as_tuple(asio::use_awaitable));
    if (error) co_return false;
    rest.consume(bytes);
  }
  never_expire();
  whole_ = true;
  co_return true;
}

void Peer::expire_after(std::chrono::milliseconds delay) {
  expired_ = false;
  due_ = Clock::now() + delay;
  if (due_ < armed_) arm();
}

void Peer::never_expire() {
  expired_ = false;
  due_ = Clock::time_point::max();
}

// The timer is armed for the first deadline and, when it wakes, for the one that holds then: most deadlines only move on, and
// cost nothing but a reading of the clock.
void Peer::arm() {
  armed_ = due_;
  timer_.expires_at(due_);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    if (!error) self->on_timer();
  });
}

void Peer::on_timer() {
  armed_ = Clock::time_point::max();
  if (due_ == Clock::time_point::max() || !transport_.socket().is_open()) return;
  if (Clock::now() < due_) return arm();
  expired_ = true;
  ErrorCode ignored;
  transport_.socket().cancel(ignored);
}

// The first byte of TLS is 22, a handshake; of HTTP it is a letter.
Awaitable<bool> Peer::begins_with_tls() {
  constexpr unsigned char kHandshake = 22;
  auto& socket = transport_.socket();
  auto [error] = co_await socket.async_wait(asio::ip::tcp::socket::wait_read, asio::as_tuple(asio::use_awaitable));
  unsigned char first = 0;
  ErrorCode none;
  if (error || socket.receive(asio::buffer(&first, 1), asio::socket_base::message_peek, none) != 1) co_return false;
  if (first == kHandshake) co_return true;
  if (first >= 'A' && first <= 'Z') co_await tell_to_speak_tls();
  co_return false;
}

// Reads what was sent until the client leaves, as linger() does.
Awaitable<void> Peer::tell_to_speak_tls() {
  auto& socket = transport_.socket();
  expire_after(kLinger);
  auto [error, bytes] = co_await asio::async_write(socket, asio::buffer(kSpeakTls), asio::as_tuple(asio::use_awaitable));
  if (!error) socket.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  while (!error) std::tie(error, bytes) = co_await socket.async_read_some(asio::buffer(landing_), asio::as_tuple(asio::use_awaitable));
}

Awaitable<bool> Peer::shake_hands(std::chrono::milliseconds patience) {
  if (!transport_.is_secure()) co_return true;
  expire_after(patience);
  if (!co_await begins_with_tls()) co_return false;
  auto [error] = co_await transport_.async_handshake(asio::as_tuple(asio::use_awaitable));
  if (error) co_return false;
  never_expire();
  co_return true;
}

// Under TLS the client is told so before the connection ends: else it could not know that nothing was cut off.
Awaitable<Peer::ErrorCode> Peer::end_our_side() {
  if (transport_.is_secure()) co_await transport_.async_farewell(asio::as_tuple(asio::use_awaitable));
  ErrorCode error;
  transport_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  co_return error;
}

Awaitable<void> Peer::linger() {
  expire_after(kLinger);
  auto error = co_await end_our_side();
  while (!error) {
    consume(asio::buffer_size(received()));
    error = co_await more();
  }
}

void Peer::close() {
  ErrorCode ignored;
  transport_.socket().close(ignored);
  timer_.cancel();
}

}  // namespace lo::http
