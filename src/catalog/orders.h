// What waits for a catalog's writer thread.
#pragma once

#include <variant>

#include "base/async.h"
#include "catalog/records.h"

namespace lo::catalog {

struct CommitOrder {
  Batch batch;
  Callback<Status> done;
};
struct TrimOrder {
  std::int64_t keep = 0;
  Callback<Result<std::int64_t>> done;
};
using Order = std::variant<CommitOrder, TrimOrder>;

// Calls `done`, where there is one. `outcome`: how many rows a trim removed; of a commit only whether it is an error counts.
inline void tell(CommitOrder& order, Result<std::int64_t> outcome) {
  if (order.done) order.done(outcome ? Status{} : Status(fail(std::move(outcome).error())));
}
inline void tell(TrimOrder& order, Result<std::int64_t> outcome) {
  if (order.done) order.done(std::move(outcome));
}

}  // namespace lo::catalog
