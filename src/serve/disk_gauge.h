// How full the disk is, known without asking it each time.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/mutex.h"

namespace lo::serve {

struct DiskSpace {
  std::int64_t free = 0;   // bytes that a process without privileges may take
  std::int64_t total = 0;  // bytes, those reserved for root left out
};

// Of the file system that holds `path`. Blocks.
Result<DiskSpace> read_disk_space(const std::filesystem::path& path);

// Of that which has the smallest share free. Blocks.
Result<DiskSpace> read_fullest_disk(const std::vector<std::filesystem::path>& paths);

// Code::no_space, naming the free bytes, when `percent` of the disk or more is taken. Pure.
Status check_room(DiskSpace space, double percent);

// Any thread.
class DiskGauge {
 public:
  using Read = std::function<Result<DiskSpace>()>;

  // Reads once, here. `read` runs on the pool, which is gone before the gauge. What cannot be read leaves room as it was.
  DiskGauge(Read read, double percent, std::shared_ptr<Clock> clock, BlockingPool& pool);

  // check_room() of what was read last. Does not block: has it read again when that is a second old.
  Status check();

 private:
  void refresh();

  const Read read_;
  const double percent_;
  const std::shared_ptr<Clock> clock_;
  BlockingPool& pool_;
  Mutex mutex_;
  DiskSpace space_ LO_GUARDED_BY(mutex_);
  SteadyTime asked_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo::serve
