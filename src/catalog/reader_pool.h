// A fixed number of readers, lent one by one; who finds none waits for the next to come back. Any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.h"

namespace lo::catalog {

template <class Reader>
class ReaderPool {
 public:
  // Gives its reader back at the end.
  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<Reader> reader) : pool_(pool), reader_(std::move(reader)) {}
    ~Lease() { pool_.give_back(std::move(reader_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Reader* operator->() { return reader_.get(); }

   private:
    ReaderPool& pool_;
    std::unique_ptr<Reader> reader_;
  };

  explicit ReaderPool(std::vector<std::unique_ptr<Reader>> readers) : free_(std::move(readers)) {}

  Lease borrow() {
    MutexLock lock(mutex_);
    while (free_.empty()) returned_.wait(mutex_);
    auto reader = std::move(free_.back());
    free_.pop_back();
    return Lease(*this, std::move(reader));
  }

 private:
  void give_back(std::unique_ptr<Reader> reader) {
    {
      MutexLock lock(mutex_);
      free_.push_back(std::move(reader));
    }
    returned_.notify_one();
  }

  Mutex mutex_;
  Condition returned_;
  std::vector<std::unique_ptr<Reader>> free_ LO_GUARDED_BY(mutex_);
};

}  // namespace lo::catalog
