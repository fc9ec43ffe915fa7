// A few pieces of work that somebody waits for, done by whoever is free.
#pragma once

#include <arrow/util/thread_pool.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/mutex.h"

namespace lo::dataset {

// Calls `work(0)` to `work(count - 1)`, here and on Arrow's CPU threads, and returns when all have returned; `work` must not throw. Where those threads
// are busy all is done here: it never waits for a piece that nobody has begun.
template <class Work>
void side_by_side(int count, const Work& work) {
  struct Shared {
    std::atomic<int> next = 0;
    Mutex mutex;
    Condition changed;
    int done LO_GUARDED_BY(mutex) = 0;
  };
  auto shared = std::make_shared<Shared>();
  auto run = [shared, count, &work] {  // one that begins late finds nothing to do, and does not touch `work`
    for (int i = shared->next++; i < count; i = shared->next++) {
      work(i);
      MutexLock lock(shared->mutex);
      if (++shared->done == count) shared->changed.notify_all();
    }
  };
  auto* pool = arrow::internal::GetCpuThreadPool();
  for (int helper = 1; helper < std::min(count, pool->GetCapacity()); ++helper)
    if (!pool->Spawn(run).ok()) break;  // the process ends
  run();
  MutexLock lock(shared->mutex);
  while (shared->done < count) shared->changed.wait(shared->mutex);
}

}  // namespace lo::dataset
