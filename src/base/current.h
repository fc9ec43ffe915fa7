// A value that is replaced as a whole while others use it: who has it keeps it as it was.
#pragma once

#include <memory>
#include <utility>

#include "base/mutex.h"

namespace lo {

// Any thread.
template <class T>
class Current {
 public:
  explicit Current(std::shared_ptr<T> value) : value_(std::move(value)) {}

  std::shared_ptr<T> get() const {
    MutexLock lock(mutex_);
    return value_;
  }

  void set(std::shared_ptr<T> value) {
    MutexLock lock(mutex_);
    value_.swap(value);  // what was there goes after the lock
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<T> value_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo
