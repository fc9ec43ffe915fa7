// What has been asked of one connection from outside its coroutine: that its client has left, that the server stops. It turns
// this into the cancelling of the coroutine, or not. On the connection's strand only: a cancellation that is emitted from
// another thread races with the operation it cancels (https://github.com/chriskohlhoff/asio/issues/1332).
#pragma once

#include <boost/asio/cancellation_signal.hpp>

namespace lo::http {

class Life {
 public:
  // The slot that the connection's coroutine is spawned with.
  boost::asio::cancellation_slot slot() { return signal_.slot(); }

  // A handler begins. One that may not be cancelled runs on when its client leaves, until it allows it.
  void begin_handler(bool may_cancel);
  void allow_cancel();
  // The handler has answered with a stream, which is cancelled by leaving and by drain().
  void begin_stream();
  // The answer is sent: between requests.
  void end_answer();
  // A request has arrived: its header is whole.
  void begin_request() { idle_ = false; }

  void client_left();
  void drain();  // the server stops: streams end, no further request is taken
  void abort();  // the grace is over

  bool idle() const { return idle_; }
  bool draining() const { return draining_; }
  bool cancelled() const { return cancelled_; }
  // Cancelled only because the server stops, so that a stream may still be ended properly.
  bool only_drained() const { return draining_ && !left_ && !aborted_; }

 private:
  void update();

  boost::asio::cancellation_signal signal_;
  bool idle_ = true;
  bool may_cancel_ = false;
  bool streaming_ = false;
  bool left_ = false;
  bool draining_ = false;
  bool aborted_ = false;
  bool cancelled_ = false;
};

}  // namespace lo::http
