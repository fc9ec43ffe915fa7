// Things that are made one after another by one thread, ahead of their use by another.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/named_thread.h"

namespace lo {

template <class Thing>
class Ahead {
 public:
  // `make` gives one thing at each call, until it gives none; it is called in a thread of that name, must not throw, and makes none while
  // those that wait to be used weigh `most` or more.
  Ahead(const std::string& name, std::size_t most, std::move_only_function<std::optional<Thing>()> make,
        std::function<std::size_t(const Thing&)> weight)
      : most_(most), make_(std::move(make)), weight_(std::move(weight)), thread_(name, [this] { run(); }) {}

  // Waits for the call of `make` that is under way.
  ~Ahead() {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  // In the order in which they were made; nothing after the last one. Blocks. One thread.
  std::optional<Thing> next() {
    MutexLock lock(mutex_);
    while (waiting_.empty() && !ended_) changed_.wait(mutex_);
    if (waiting_.empty()) return std::nullopt;
    std::optional thing(std::move(waiting_.front()));
    waiting_.pop_front();
    weighs_ -= weight_(*thing);
    changed_.notify_all();
    return thing;
  }

 private:
  void run() {
    while (wants_more()) {
      auto thing = make_();
      MutexLock lock(mutex_);
      ended_ = !thing;
      if (thing) {
        weighs_ += weight_(*thing);
        waiting_.push_back(*std::move(thing));
      }
      changed_.notify_all();
    }
  }

  bool wants_more() {
    MutexLock lock(mutex_);
    while (weighs_ >= most_ && !stopping_) changed_.wait(mutex_);
    return !stopping_ && !ended_;
  }

  const std::size_t most_;
  std::move_only_function<std::optional<Thing>()> make_;  // touched by the thread alone
  const std::function<std::size_t(const Thing&)> weight_;
  Mutex mutex_;
  Condition changed_;
  std::deque<Thing> waiting_ LO_GUARDED_BY(mutex_);
  std::size_t weighs_ LO_GUARDED_BY(mutex_) = 0;
  bool ended_ LO_GUARDED_BY(mutex_) = false;
  bool stopping_ LO_GUARDED_BY(mutex_) = false;
  NamedThread thread_;  // last: ends before what it uses
};

}  // namespace lo
