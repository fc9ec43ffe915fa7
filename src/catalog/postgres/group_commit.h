// Group commit: everything that waits becomes one transaction, hence one flush of PostgreSQL's log, in two round trips: all changes, then
// COMMIT. Its functions run on the writer thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <span>
#include <vector>

#include "catalog/orders.h"
#include "catalog/postgres/session.h"

namespace lo::catalog::postgres {

class GroupCommit {
 public:
  using Listener = std::function<void(std::span<const Event>)>;

  // A lost connection is sought again for `patience`. What has not been committed by then is told Code::unavailable. Where the connection went
  // while COMMIT was on its way, it is sought until the outcome is known, unless `stopping` says that nobody can wait any more.
  GroupCommit(Session session, std::chrono::milliseconds patience, const std::atomic<bool>& stopping)
      : session_(std::move(session)), patience_(patience), stopping_(stopping) {}
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  Status prepare() { return reload(); }
  void listen(Listener listener) { listener_ = std::move(listener); }
  std::int64_t last_event() const { return last_seq_; }  // on the writer thread, or before it is there
  std::int64_t epoch() const { return session_.epoch(); }

  // Writes all orders, then tells: the listener first, then each `done` in the order of the orders.
  void work_off(std::vector<Order> orders);

 private:
  using Outcome = Result<std::int64_t>;  // of one order: rows, where somebody asks for them
  using Orders = std::vector<Order>;

  Status settle(const Orders& orders);
  Status come_back();
  bool has_patience() const;
  Status write(const Orders& orders);
  Status write_together(const Orders& orders);
  Status write_one_by_one(const Orders& orders);
  Status write_one(const Order& order);
  Status send_commit();
  Status reload();

  Session session_;
  const std::chrono::milliseconds patience_;
  const std::atomic<bool>& stopping_;
  Listener listener_;
  std::int64_t last_seq_ = 0;
  std::int64_t number_ = 0;  // of the group at hand
  std::chrono::steady_clock::time_point deadline_;
  bool is_commit_sent_ = false;
  std::vector<Outcome> outcomes_;  // of the group at hand, one per order
  std::vector<Event> events_;      // of the group at hand
};

}  // namespace lo::catalog::postgres
