// A mutex that clang's thread-safety analysis understands. Members name the mutex that guards them:
//   Mutex mutex_;
//   std::deque<Job> waiting_ LO_GUARDED_BY(mutex_);
// and touching one without the lock does not compile there (g++ ignores the annotations).
// Source: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define LO_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define LO_THREAD_ANNOTATION(attribute)
#endif

#define LO_CAPABILITY(name) LO_THREAD_ANNOTATION(capability(name))
#define LO_SCOPED_CAPABILITY LO_THREAD_ANNOTATION(scoped_lockable)
#define LO_GUARDED_BY(mutex) LO_THREAD_ANNOTATION(guarded_by(mutex))
#define LO_REQUIRES(...) LO_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define LO_EXCLUDES(...) LO_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define LO_ACQUIRE(...) LO_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define LO_RELEASE(...) LO_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace lo {

class LO_CAPABILITY("mutex") Mutex {
 public:
  void lock() LO_ACQUIRE() { mutex_.lock(); }
  void unlock() LO_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

// Holds the mutex while it lives.
class LO_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) LO_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() LO_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Wakes may be spurious, so a wait stands in a loop: while (queue_.empty()) filled_.wait(mutex_);
class Condition {
 public:
  void wait(Mutex& mutex) LO_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    condition_.wait(held);
    held.release();  // the caller's MutexLock gives it back
  }
  // The same for no longer than until `time`.
  void wait_until(Mutex& mutex, std::chrono::steady_clock::time_point time) LO_REQUIRES(mutex) {
    std::unique_lock<std::mutex> held(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(held, time);
    held.release();
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace lo
