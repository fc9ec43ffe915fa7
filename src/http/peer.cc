#include "http/peer.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <cstring>

namespace lo::http {
namespace {

constexpr std::size_t kSmallestRead = 1 << 10;  // room for most requests: thousands of streams each keep two of these
constexpr std::size_t kLargestRead = 64 << 10;
constexpr std::chrono::seconds kLinger{2};

}  // namespace

Peer::Peer(asio::ip::tcp::socket socket, std::size_t capacity)
    : socket_(std::move(socket)), capacity_(capacity), landing_(kSmallestRead), timer_(socket_.get_executor()) {}

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
  socket_.async_read_some(asio::buffer(landing_),
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
    auto [error, bytes] = co_await socket_.async_write_some(rest, asio::as_tuple(asio::use_awaitable));
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
  if (due_ == Clock::time_point::max() || !socket_.is_open()) return;
  if (Clock::now() < due_) return arm();
  expired_ = true;
  ErrorCode ignored;
  socket_.cancel(ignored);
}

Awaitable<void> Peer::linger() {
  ErrorCode error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  expire_after(kLinger);
  while (!error) {
    consume(asio::buffer_size(received()));
    error = co_await more();
  }
}

void Peer::close() {
  ErrorCode ignored;
  socket_.close(ignored);
  timer_.cancel();
}

}  // namespace lo::http
