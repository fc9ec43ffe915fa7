// Pieces of a table, made side by side on Arrow's CPU threads, a few ahead of somebody who takes them at a pace of his own.
#pragma once

#include <arrow/util/thread_pool.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"

namespace lo::dataset {

template <class Piece>
class PulledPieces {
 public:
  // Piece number `i`; must not throw, and may give anything once `stop` is requested. Called by several threads, but for i + ahead only when i was taken.
  using Make = std::move_only_function<Result<Piece>(int i, const std::stop_token& stop) const>;

  // `bytes` that a piece takes in memory: of large ones fewer are made ahead than `ahead`.
  PulledPieces(int count, int ahead, Make make, std::function<std::size_t(const Piece&)> bytes)
      : count_(count), ahead_(ahead), bytes_(std::move(bytes)), shared_(std::make_shared<Shared>(std::move(make))) {}

  // Does not wait: a piece that is being made owns what it needs, and is told to stop.
  ~PulledPieces() { shared_->stop.request_stop(); }
  PulledPieces(const PulledPieces&) = delete;
  PulledPieces& operator=(const PulledPieces&) = delete;

  // The next one, in order; nothing after the last. One that nobody has begun is made here: it never waits for somebody else's work. Threads: one at a
  // time.
  std::optional<Result<Piece>> next() {
    begin_more();
    if (slots_.empty()) return std::nullopt;
    auto slot = std::move(slots_.front());
    slots_.pop_front();
    make(*shared_, *slot);
    std::optional piece(wait_for(*slot));
    if (*piece) largest_ = std::max(largest_, bytes_(**piece));
    sized_ = true;
    begin_more();
    return piece;
  }

 private:
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;  // waiting to be taken, unless a single one is larger

  struct Shared {
    explicit Shared(Make made_by) : make(std::move(made_by)) {}
    const Make make;
    std::stop_source stop;
  };
  struct Slot {
    explicit Slot(int index) : number(index) {}
    const int number;
    std::atomic<bool> begun = false;
    Mutex mutex;
    lo::Condition changed;  // a query has conditions, too
    std::optional<Result<Piece>> piece LO_GUARDED_BY(mutex);
  };

  static void make(const Shared& shared, Slot& slot) {
    if (shared.stop.stop_requested() || slot.begun.exchange(true)) return;
    auto piece = shared.make(slot.number, shared.stop.get_token());
    MutexLock lock(slot.mutex);
    slot.piece = std::move(piece);
    slot.changed.notify_all();
  }

  static Result<Piece> wait_for(Slot& slot) {
    MutexLock lock(slot.mutex);
    while (!slot.piece) slot.changed.wait(slot.mutex);
    return *std::move(slot.piece);
  }

  // How large they are is not known before the first.
  bool wants_more() const {
    if (begun_ == count_) return false;
    if (slots_.empty()) return true;
    return sized_ && std::ssize(slots_) < ahead_ && (slots_.size() + 1) * largest_ <= kMostBytes;
  }

  void begin_more() {
    while (wants_more()) {
      auto slot = std::make_shared<Slot>(begun_++);
      slots_.push_back(slot);
      auto begin = [shared = shared_, slot] { make(*shared, *slot); };
      if (!arrow::internal::GetCpuThreadPool()->Spawn(begin).ok()) return;  // the process ends; next() makes it
    }
  }

  const int count_;
  const int ahead_;
  const std::function<std::size_t(const Piece&)> bytes_;
  const std::shared_ptr<Shared> shared_;
  std::deque<std::shared_ptr<Slot>> slots_;  // begun and not taken
  int begun_ = 0;
  std::size_t largest_ = 0;
  bool sized_ = false;
};

}  // namespace lo::dataset
