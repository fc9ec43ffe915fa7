// One thread with a queue, for work that is cheaper together than one by one, such as commits that share an fsync.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/named_thread.h"

namespace lo {

// Hands `work` everything that waits, in the order of push(), on a thread of its own; what is pushed meanwhile is the next
// batch. The destructor has what was pushed worked off, then joins. `work` may push; it must not throw.
template <class Item>
class BatchWorker {
 public:
  using Work = std::move_only_function<void(std::vector<Item>)>;

  // `name` is shown by ps and gdb; the kernel keeps 15 characters of it.
  BatchWorker(const std::string& name, Work work)
      : work_(std::move(work)), thread_(name, [this] { serve(); }) {}

  ~BatchWorker() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
  }
  BatchWorker(const BatchWorker&) = delete;
  BatchWorker& operator=(const BatchWorker&) = delete;

  // Any thread. Returns at once.
  void push(Item item) {
    {
      MutexLock lock(mutex_);
      waiting_.push_back(std::move(item));
    }
    wake_.notify_one();
  }

 private:
  void serve() {
    for (auto batch = take(); !batch.empty(); batch = take()) work_(std::move(batch));
  }

  // All that waits; nothing only when it is time to stop.
  std::vector<Item> take() {
    MutexLock lock(mutex_);
    while (waiting_.empty() && !stopping_) wake_.wait(mutex_);
    return std::exchange(waiting_, {});
  }

  Work work_;  // touched by the thread alone
  Mutex mutex_;
  Condition wake_;
  std::vector<Item> waiting_ LO_GUARDED_BY(mutex_);
  bool stopping_ LO_GUARDED_BY(mutex_) = false;
  NamedThread thread_;  // last: ends before what it uses
};

}  // namespace lo
