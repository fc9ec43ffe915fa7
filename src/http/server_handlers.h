// For tests: handlers that wait, stream and tell the test how far they are.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <future>
#include <memory>

#include "http/server_fixture.h"
#include "http/sse.h"

namespace lo::http {

// Tells the test that something has happened.
class Flag {
 public:
  void raise() const { promise_->set_value(); }
  bool raised() const { return future_.wait_for(kPatience) == std::future_status::ready; }

 private:
  std::shared_ptr<std::promise<void>> promise_ = std::make_shared<std::promise<void>>();
  std::shared_future<void> future_ = promise_->get_future().share();
};

// Raises its flag when the coroutine that holds it is destroyed.
struct RaisesAtEnd {
  Flag flag;
  ~RaisesAtEnd() { flag.raise(); }
};

// Waits until it is cancelled.
inline Awaitable<void> forever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

// A place where a handler waits until the test lets it go on; not cancelled by anything.
class Gate {
 public:
  Awaitable<void> wait() const {
    auto state = state_;
    co_await await_callback<bool>([state = state.get()](Callback<bool> done) {
      state->go_on = std::move(done);
      state->reached.raise();
    });
  }
  bool reached() const { return state_->reached.raised(); }
  void open() const { state_->go_on(true); }  // once it was reached

 private:
  struct State {
    Flag reached;
    Callback<bool> go_on;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Raises `begun`, waits until it is cancelled, raises `ended`.
inline Handler stuck(Flag begun, Flag ended) {
  return [=](Request&) -> Awaitable<Response> {
    RaisesAtEnd end{ended};
    begun.raise();
    co_await forever();
    co_return Response{};
  };
}

inline Handler streams(std::function<Awaitable<void>(BodyWriter&)> body) {
  return [body](Request&) -> Awaitable<Response> { co_return event_stream(body); };
}

}  // namespace lo::http
