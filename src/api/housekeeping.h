// What is no longer needed, and its going: superseded revisions, logs, events, answers to repeated requests, and the files that nothing
// refers to any more. What goes when is said by context.keep.
#pragma once

#include "api/context.h"

namespace lo::api {

struct Swept {
  std::vector<engine::Retired> revisions;
  SweptFiles objects;         // of the store
  SweptFiles logs;
  std::int64_t events = 0;
};

// With `dry_run` nothing goes, and what would go is told.
Awaitable<Result<Swept>> sweep(const Context& context, bool dry_run);

// Sweeps, and forgets the answers of requests whose Idempotency-Key is old. What fails is logged and left for the next time.
Awaitable<void> keep_house(const Context& context);

}  // namespace lo::api
