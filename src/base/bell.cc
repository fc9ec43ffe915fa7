#include "base/bell.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <utility>

namespace lo {

std::int64_t Bell::value() const {
  MutexLock lock(mutex_);
  return value_;
}

bool Bell::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

void Bell::advance_to(std::int64_t value) {
  {
    MutexLock lock(mutex_);
    if (value <= value_) return;
    value_ = value;
  }
  wake_all();
}

void Bell::advance() {
  {
    MutexLock lock(mutex_);
    ++value_;
  }
  wake_all();
}

void Bell::close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_all();
}

// A timer is touched on its coroutine's executor alone, hence the post.
void Bell::wake_all() {
  std::unordered_set<Timer> waiting;
  {
    MutexLock lock(mutex_);
    waiting = std::exchange(waiting_, {});
  }
  for (const auto& timer : waiting) asio::post(timer->get_executor(), [timer] { timer->cancel(); });
}

Awaitable<bool> Bell::beyond(std::int64_t seen, std::chrono::milliseconds most) {
  auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, most);
  {
    MutexLock lock(mutex_);
    if (closed_) co_return false;
    if (value_ > seen) co_return true;
    waiting_.insert(timer);
  }
  // Nothing else runs on this executor until the coroutine is suspended here, so no cancel() comes too early.
  co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
  MutexLock lock(mutex_);
  waiting_.erase(timer);
  co_return !closed_ && value_ > seen;
}

}  // namespace lo
