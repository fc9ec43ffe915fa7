// The tables of the catalog and how they came to be.
#pragma once

#include <span>

#include "catalog/sqlite/connection.h"

namespace lo::catalog::sqlite {

// Brings the schema from the version before it to its own.
using Migration = Status (*)(Connection& connection);

// The n-th (from 0) leads to version n + 1.
std::span<const Migration> migrations();

// Runs what is missing up to the last of `all`, in one transaction. Code::unavailable when the file is newer than that,
// Code::corrupt when it is a database of somebody else. `file` is for the messages.
Status migrate(Connection& connection, std::span<const Migration> all, const std::filesystem::path& file);

}  // namespace lo::catalog::sqlite
