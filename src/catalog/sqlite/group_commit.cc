#include "catalog/sqlite/group_commit.h"

#include "base/fault.h"
#include "base/log.h"

namespace lo::catalog::sqlite {

void GroupCommit::work_off(std::vector<Order> orders) {
  outcomes_.clear();
  events_.clear();
  if (auto status = write(orders); !status) {
    log::error("catalog: a commit failed: {} {}", status.error().message, status.error().internal);
    outcomes_.assign(orders.size(), fail(status.error()));
    events_.clear();
    if (auto reloaded = writer_.reload(); !reloaded) log::error("catalog: {}", reloaded.error().internal);
  }
  if (listener_ && !events_.empty()) listener_(events_);
  for (std::size_t i = 0; i < orders.size(); ++i)
    std::visit([&](auto& order) { tell(order, std::move(outcomes_[i])); }, orders[i]);
}

Status GroupCommit::write(const std::vector<Order>& orders) {
  LO_TRY(fault_point("catalog.commit.before"));
  LO_ASSIGN(auto transaction, Transaction::begin(connection_));
  for (const auto& order : orders) {
    outcomes_.push_back(write_one(order));
    // A full disk may make SQLite take back the whole transaction, and with it the batches before this one.
    if (!connection_.in_transaction()) return fail(outcomes_.back().error());
  }
  LO_TRY(fault_point("catalog.commit.between"));
  LO_TRY(transaction.commit());
  return fault_point("catalog.commit.after");
}

GroupCommit::Outcome GroupCommit::write_one(const Order& order) {
  if (const auto* trim = std::get_if<TrimOrder>(&order)) return writer_.trim(trim->keep);
  LO_TRY(writer_.apply(std::get<CommitOrder>(order).batch, events_));
  return 0;
}

}  // namespace lo::catalog::sqlite
