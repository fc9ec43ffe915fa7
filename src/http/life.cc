#include "http/life.h"

namespace lo::http {

void Life::begin_handler(bool may_cancel) {
  may_cancel_ = may_cancel;
  update();
}

void Life::allow_cancel() {
  may_cancel_ = true;
  update();
}

void Life::begin_stream() {
  may_cancel_ = streaming_ = true;
  update();
}

void Life::end_answer() {
  may_cancel_ = streaming_ = false;
  idle_ = true;
}

void Life::client_left() {
  left_ = true;
  update();
}

void Life::drain() {
  draining_ = true;
  update();
}

void Life::abort() {
  aborted_ = true;
  update();
}

// Cancels once, when it is due: a coroutine that is cancelled ends, it is never cancelled again.
void Life::update() {
  bool due = aborted_ || (left_ && may_cancel_) || (draining_ && streaming_);
  if (!due || cancelled_) return;
  cancelled_ = true;
  signal_.emit(boost::asio::cancellation_type::terminal);
}

}  // namespace lo::http
