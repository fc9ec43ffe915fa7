// Group commit: everything that waits becomes one transaction, hence one fsync. Its functions run on the writer thread.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "catalog/orders.h"
#include "catalog/sqlite/writer.h"

namespace lo::catalog::sqlite {

class GroupCommit {
 public:
  using Listener = std::function<void(std::span<const Event>)>;

  // `connection` stays the group's own.
  explicit GroupCommit(Connection connection) : connection_(std::move(connection)), writer_(connection_) {}
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  Status prepare() { return writer_.reload(); }
  void listen(Listener listener) { listener_ = std::move(listener); }

  // Writes all orders, then tells: the listener first, then each `done` in the order of the orders.
  void work_off(std::vector<Order> orders);

 private:
  using Outcome = Result<std::int64_t>;  // of one order: rows, where somebody asks for them

  Status write(const std::vector<Order>& orders);
  Outcome write_one(const Order& order);

  Connection connection_;
  Writer writer_;
  Listener listener_;
  std::vector<Outcome> outcomes_;  // of the group at hand, one per order
  std::vector<Event> events_;      // of the group at hand
};

}  // namespace lo::catalog::sqlite
