// Reads in two threads what is used in one.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "base/named_thread.h"

namespace lo::catalog::sqlite {

// The pieces 0 … pieces - 1 of something, each read once by `read(piece)`: here, where next() is called, and ahead of it in a thread of its
// own. `read` is called from both at once.
template <class T, class Read>
class ReadAhead {
 public:
  ReadAhead(std::size_t pieces, Read read)
      : read_(std::move(read)), pieces_(pieces), thread_("read-ahead", [this] { read_ahead(); }) {}
  ~ReadAhead() {
    MutexLock lock(mutex_);
    begun_ = pieces_;
    changed_.notify_all();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // Some piece that was not given yet, in any order; nothing after the last one. One thread.
  std::optional<Result<T>> next() {
    std::size_t piece = 0;
    {
      MutexLock lock(mutex_);
      while (ready_.empty() && begun_ == pieces_ && is_reading_) changed_.wait(mutex_);
      if (!ready_.empty()) return take();
      if (begun_ == pieces_) return std::nullopt;
      piece = begun_++;
    }
    return read_(piece);
  }

 private:
  static constexpr std::size_t kMostReady = 8;

  Result<T> take() LO_REQUIRES(mutex_) {
    auto value = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return value;
  }

  std::optional<std::size_t> begin() {
    MutexLock lock(mutex_);
    while (ready_.size() == kMostReady && begun_ < pieces_) changed_.wait(mutex_);
    if (begun_ == pieces_) return std::nullopt;
    is_reading_ = true;
    return begun_++;
  }

  void read_ahead() {
    while (auto piece = begin()) {
      auto value = read_(*piece);
      MutexLock lock(mutex_);
      ready_.push_back(std::move(value));
      is_reading_ = false;
      changed_.notify_all();
    }
  }

  Read read_;
  const std::size_t pieces_;
  Mutex mutex_;
  Condition changed_;
  std::size_t begun_ LO_GUARDED_BY(mutex_) = 0;
  bool is_reading_ LO_GUARDED_BY(mutex_) = false;  // the thread, a piece that is not ready yet
  std::deque<Result<T>> ready_ LO_GUARDED_BY(mutex_);
  NamedThread thread_;  // last: ends before what it uses
};

}  // namespace lo::catalog::sqlite
