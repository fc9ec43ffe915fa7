// Wakes coroutines that wait for a number to grow: the last event, the end of a log.
//
// Threads: all functions from any thread. A coroutine that waits must run on an executor that does one thing at a time (a strand).
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_set>

#include "base/async.h"
#include "base/mutex.h"

namespace lo {

class Bell {
 public:
  explicit Bell(std::int64_t value = 0) : value_(value) {}
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  std::int64_t value() const;

  // Sets the number, if that makes it larger, and wakes all who wait.
  void advance_to(std::int64_t value);
  void advance();  // by one

  // True as soon as the number is larger than `seen`; false when it is not within `most`, or once the bell is closed.
  Awaitable<bool> beyond(std::int64_t seen, std::chrono::milliseconds most);

  // Ends all waits, now and later.
  void close();
  bool closed() const;

 private:
  using Timer = std::shared_ptr<asio::steady_timer>;
  void wake_all();

  mutable Mutex mutex_;
  std::int64_t value_ LO_GUARDED_BY(mutex_);
  bool closed_ LO_GUARDED_BY(mutex_) = false;
  std::unordered_set<Timer> waiting_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo
