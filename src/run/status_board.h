// What /ready tells of the helpers, kept where any thread can read it.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "base/mutex.h"
#include "run/lifecycle.h"

namespace lo::run {

// Any thread.
class StatusBoard {
 public:
  void set(const std::string& helper, Phase phase, pid_t pid) {
    MutexLock lock(mutex_);
    auto& entry = entries_[helper];
    entry.phase = phase;
    entry.pid = pid;
  }

  void count_job(const std::string& helper, int by) {
    MutexLock lock(mutex_);
    entries_[helper].jobs += by;
  }

  // {"bare": {"state": "warm", "pid": 123, "jobs": 0}, …}; pid only while there is a process.
  json::object snapshot() const {
    MutexLock lock(mutex_);
    json::object all;
    for (const auto& [helper, entry] : entries_) {
      json::object one{{"state", to_string(entry.phase)}, {"jobs", entry.jobs}};
      if (entry.pid > 0) one["pid"] = entry.pid;
      all[helper] = std::move(one);
    }
    return all;
  }

 private:
  struct Entry {
    Phase phase = Phase::cold;
    pid_t pid = 0;
    int jobs = 0;
  };

  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo::run
