// Applies changes to the tables, within a transaction that the caller holds. Used by one thread.
#pragma once

#include "catalog/records.h"
#include "catalog/sqlite/connection.h"

namespace lo::catalog::sqlite {

class Writer {
 public:
  explicit Writer(Connection& connection) : connection_(connection) {}

  // Reads where the numbering of events has got to: at start, and after a transaction that failed.
  Status reload();

  // The next event gets the number after `seq`.
  void number_on_from(std::int64_t seq) { last_seq_ = seq; }

  // All changes or none (a savepoint). The events of the batch, with their seq, are appended to `told`.
  Status apply(const Batch& batch, std::vector<Event>& told);

  // Drops the oldest events until `keep` are left; gives how many went.
  Result<std::int64_t> trim(std::int64_t keep);

 private:
  Status apply_all(const Batch& batch);
  Status apply_one(const AddStep& change);
  Status apply_one(const AddRevision& change);
  Status apply_one(const UpdateRevision& change);
  Status apply_one(const RebindParents& change);
  Status apply_one(const PutAttempt& change);
  Status apply_one(const AddEvent& change);
  Status apply_one(const RemoveStep& change);
  Status apply_one(const RemoveRevision& change);
  Status apply_one(const PutSubscription& change);
  Status apply_one(const RemoveSubscription& change);
  Status apply_one(const PutWorkflow& change);
  Status apply_one(const RemoveWorkflow& change);
  Status apply_one(const PutReceipt& change);
  Status apply_one(const ForgetReceipts& change);
  Status apply_one(const ForgetGarbage& change);
  Status add_labels(const Step& step);
  Status add_artifacts(const Revision& revision);
  Result<State> stored_state(RevisionKey key);
  Status why_unchanged(RevisionKey key);

  Connection& connection_;
  std::int64_t last_seq_ = 0;
  std::vector<Event> events_;  // of the batch being applied
};

}  // namespace lo::catalog::sqlite
