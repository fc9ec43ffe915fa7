// The tables of the catalog and how they came to be.
#pragma once

#include <span>

#include "catalog/postgres/connection.h"

namespace lo::catalog::postgres {

// Brings the schema from the version before it to its own. Runs within a transaction.
using Migration = Status (*)(Connection& connection);

// The n-th (from 0) leads to version n + 1.
std::span<const Migration> migrations();

// Runs what is missing up to the last of `all`, in one transaction; who calls it at the same time waits. Code::unavailable when the schema is
// newer than that, Code::corrupt when the tables are those of somebody else.
Status migrate(Connection& connection, std::span<const Migration> all);

// The one that the tables have; 0 when there are none of ours yet.
Result<std::int64_t> schema_version(Connection& connection);

}  // namespace lo::catalog::postgres
