// The transport of one client with its read buffer and its deadline. All on the strand that is the socket's executor.
//
// At most one read and one write are under way. A read may stay under way while a handler runs: so a client's leaving is
// noticed at once, and what it sends meanwhile is kept for the next request. What Asio still holds of a closed Peer is a shared
// pointer to it, and it refers to nothing but itself.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/async.h"
#include "http/transport.h"

namespace lo::http {

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  using ErrorCode = boost::system::error_code;
  using Pieces = std::array<asio::const_buffer, 3>;

  // Buffers at most `capacity` bytes that nobody has consumed.
  Peer(Transport transport, std::size_t capacity);

  // The first thing where TLS is spoken, else nothing: the client must end it within `patience`. False when it does not; one that speaks HTTP in the
  // clear is told what to do.
  Awaitable<bool> shake_hands(std::chrono::milliseconds patience);

  // What has been read and not consumed. Valid until the next co_await.
  asio::const_buffer received() const { return {buffered_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t bytes);

  // Awaits more bytes. error::eof when the client has ended its side, error::no_buffer_space at capacity, operation_aborted after
  // the deadline or close().
  Awaitable<ErrorCode> more();

  // Keeps reading until unwatch(); calls `left` once if the client leaves (or the read fails) meanwhile, at once if it has left
  // already. Only where no more() is awaited.
  void watch(std::function<void()> left);
  void unwatch() { left_ = nullptr; }

  // Writes all pieces; false once the client is gone or took nothing for `stall`.
  Awaitable<bool> write(Pieces pieces, std::chrono::milliseconds stall);
  // Whether nothing was cut off: no write failed or was cancelled midway.
  bool whole() const { return whole_; }

  // From `delay` on, reads and writes fail with operation_aborted, and expired() is true. Replaces the deadline before.
  void expire_after(std::chrono::milliseconds delay);
  void never_expire();
  bool expired() const { return expired_; }

  // Ends our side and swallows what still comes, for at most two seconds: a socket closed with unread bytes would reset the
  // connection, and the client would lose the answer.
  Awaitable<void> linger();
  void close();

 private:
  using Clock = std::chrono::steady_clock;

  Awaitable<bool> begins_with_tls();
  Awaitable<void> tell_to_speak_tls();
  Awaitable<ErrorCode> end_our_side();
  bool ended() const;
  void start_read();
  void on_read(ErrorCode error, std::size_t bytes);
  void keep(std::size_t bytes);
  void arm();
  void on_timer();

  Transport transport_;
  const std::size_t capacity_;
  std::vector<char> buffered_;  // what was received lies in [begin_, end_)
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::vector<char> landing_;  // where the read under way puts its bytes
  bool reading_ = false;
  bool whole_ = true;
  ErrorCode read_error_;                    // of the last read
  std::move_only_function<void()> waiter_;  // the coroutine in more()
  std::function<void()> left_;

  asio::steady_timer timer_;
  Clock::time_point due_ = Clock::time_point::max();
  Clock::time_point armed_ = Clock::time_point::max();  // when the timer wakes; max: it is not waiting
  bool expired_ = false;
};

}  // namespace lo::http
