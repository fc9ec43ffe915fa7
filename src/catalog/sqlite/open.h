// How connections to the catalog's file are made.
#pragma once

#include <filesystem>

#include "catalog/sqlite/connection.h"

namespace lo::catalog::sqlite {

// What every connection is told first.
Status set_up(Connection& connection);

// The connection that writes: makes the file, or migrates it; a write-ahead log, fsync at each commit. Code::unavailable when the file is of a newer
// program or its file system cannot keep such a log, Code::corrupt when it is no catalog.
Result<Connection> open_writer(const std::filesystem::path& file);

}  // namespace lo::catalog::sqlite
