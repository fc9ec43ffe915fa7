// What was used lately, up to a bound.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"

namespace lo::dataset {

// Any thread. Copies of `Value` are handed out: a shared pointer.
template <class Value>
class Lru {
 public:
  explicit Lru(std::size_t most) : most_(most) {}

  std::optional<Value> find(const std::string& key) {
    MutexLock lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  // One that weighs more than all may is not kept.
  void put(const std::string& key, Value value, std::size_t weight) {
    MutexLock lock(mutex_);
    remove(key);
    if (weight > most_) return;
    entries_.push_front({key, std::move(value), weight});
    by_key_[key] = entries_.begin();
    weighs_ += weight;
    while (weighs_ > most_) remove(entries_.back().key);
  }

  std::size_t weight() const {
    MutexLock lock(mutex_);
    return weighs_;
  }

 private:
  struct Entry {
    std::string key;
    Value value;
    std::size_t weight;
  };

  void remove(const std::string& key) LO_REQUIRES(mutex_) {
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    auto entry = found->second;
    weighs_ -= entry->weight;
    by_key_.erase(found);
    entries_.erase(entry);
  }

  const std::size_t most_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ LO_GUARDED_BY(mutex_);  // the last used first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_key_ LO_GUARDED_BY(mutex_);
  std::size_t weighs_ LO_GUARDED_BY(mutex_) = 0;
};

}  // namespace lo::dataset
