// This server among others with the same catalog and the same store. One of them leads: it decides what runs, and writes. The others answer what they
// can, and hand the rest on to it. When it is gone, whichever comes first leads. Has a thread of its own, which asks PostgreSQL; everything else may be
// called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/bell.h"
#include "base/mutex.h"
#include "base/named_thread.h"
#include "catalog/postgres/postgres_catalog.h"

namespace lo::serve {

class Group {
 public:
  // Both are called on the group's thread, each once at most.
  struct Events {
    std::function<Status()> take_over;           // this server leads from now on: it is told so when that has succeeded
    std::function<void(const std::string&)> end;  // it leads no more, or could not take over: it must begin anew; the text says why
  };

  // `catalog` outlives it. `address` is this server's own.
  Group(catalog::SharedCatalog& catalog, std::string address, Events events);
  ~Group() { stop(); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Returns when the thread has ended: within seconds.
  void stop();

  bool is_stopped() const { return changes_.closed(); }
  bool leads() const { return leads_; }
  std::string leader() const;  // its address; "" while it is not known to be there

  // Goes on when another one leads, or after `most`.
  Awaitable<void> changed(std::chrono::milliseconds most);

 private:
  void run();
  void campaign();
  void watch();
  void look();
  void set_leader(std::string address);
  void pause(std::chrono::milliseconds most);

  catalog::SharedCatalog& catalog_;
  const std::string address_;
  const Events events_;
  std::atomic<bool> leads_ = false;
  Bell changes_;
  mutable Mutex mutex_;
  Condition wake_;
  std::string leader_ LO_GUARDED_BY(mutex_);
  bool stopping_ LO_GUARDED_BY(mutex_) = false;
  std::optional<NamedThread> thread_;
};

}  // namespace lo::serve
