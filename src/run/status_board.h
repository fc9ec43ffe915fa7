// What /ready tells of the helpers, kept where any thread can read it.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/json.h"
#include "base/mutex.h"
#include "run/lifecycle.h"

namespace lo::run {

// Any thread.
class StatusBoard {
 public:
  // `changed` is called after each change, by the thread that made it. May be empty.
  explicit StatusBoard(std::function<void()> changed) : changed_(std::move(changed)) {}

  void set(const std::string& helper, Phase phase, pid_t pid) {
    change([&](Entry& entry) {
      entry.phase = phase;
      entry.pid = pid;
    }, helper);
  }

  void count_job(const std::string& helper, int by) {
    change([&](Entry& entry) { entry.jobs += by; }, helper);
  }

  // The helper is no more.
  void remove(const std::string& helper) {
    {
      MutexLock lock(mutex_);
      entries_.erase(helper);
    }
    if (changed_) changed_();
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

  template <class Change>
  void change(Change apply, const std::string& helper) {
    {
      MutexLock lock(mutex_);
      apply(entries_[helper]);
    }
    if (changed_) changed_();
  }

  const std::function<void()> changed_;
  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo::run
