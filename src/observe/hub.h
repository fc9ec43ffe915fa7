// News of the catalog for those who wait: long polls, event streams, Prefer: wait. Keeps the last events in memory, so that a thousand
// listeners cost no reads.
//
// Threads: publish() is called on the catalog's writer thread, everything else from any.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bell.h"
#include "base/mutex.h"
#include "catalog/records.h"

namespace lo::observe {

// An event, and its text for clients: made when the first asks for it, for all of them. Any thread.
class Told {
 public:
  explicit Told(catalog::Event told) : event(std::move(told)) {}
  const catalog::Event event;
  const std::string& document() const;  // event_document() as JSON

 private:
  mutable std::once_flag made_;
  mutable std::string document_;
};

struct News {
  std::vector<std::shared_ptr<const Told>> events;  // that match, oldest first
  std::int64_t seen = 0;               // ask for what comes after this next time
};

class Hub {
 public:
  // Keeps the last `keep` events. `last` is the catalog's last event at the start: what comes before is not in memory.
  Hub(std::size_t keep, std::int64_t last);

  // Events in the order of seq. Where some are missing before the first, what was told before is no longer in memory.
  void publish(std::span<const catalog::Event> events);

  // At most `limit` events after `seq` that match, from memory; nothing when memory does not reach back to `seq`.
  std::optional<News> after(std::int64_t seq, const catalog::EventFilter& filter, std::size_t limit) const;

  std::int64_t last() const { return bell_.value(); }  // seq of the newest event

  // True as soon as there is an event after `seq`; false when there is none within `most`, or once the hub is closed.
  Awaitable<bool> changed(std::int64_t seq, std::chrono::milliseconds most) { return bell_.beyond(seq, most); }

  // Ends all waits: the server stops.
  void close() { bell_.close(); }
  bool closed() const { return bell_.closed(); }

 private:
  const std::size_t keep_;
  Bell bell_;
  mutable Mutex mutex_;
  std::deque<std::shared_ptr<const Told>> recent_ LO_GUARDED_BY(mutex_);
  std::int64_t first_known_ LO_GUARDED_BY(mutex_);  // every event after this one is in recent_
};

}  // namespace lo::observe
