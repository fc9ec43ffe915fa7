// Hears of what another server commits to the same catalog: a thread with a connection of its own, which it seeks again when it is lost.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/named_thread.h"
#include "catalog/postgres/reader.h"

namespace lo::catalog::postgres {

class Follower {
 public:
  using Listener = std::function<void(std::span<const Event>)>;

  // Tells `listener`, on a thread of its own, of the events after `seq`, each once and in their order, also of those that came while there was no
  // connection. Both outlive it.
  Follower(std::string url, std::int64_t seq, const Listener& listener);
  // Ends the thread: what it has not told by then it does not tell.
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // The last event that was told. Of a stopped one for good.
  std::int64_t told() const { return told_; }

  void stop();

 private:
  void run();
  Status follow();
  void pause();

  const std::string url_;
  const Listener& listener_;
  std::atomic<std::int64_t> told_;
  std::atomic<bool> stopping_ = false;
  bool is_listening_ = false;  // the thread's
  UniqueFd stop_;              // an eventfd: can be read once it is to end
  std::optional<NamedThread> thread_;
};

// Tells the listener of all events after `told`, which is moved on.
Status tell_news(Reader& reader, std::atomic<std::int64_t>& told, const Follower::Listener& listener);

}  // namespace lo::catalog::postgres
