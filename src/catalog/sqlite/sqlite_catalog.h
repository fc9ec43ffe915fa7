// The embedded catalog: one SQLite file in WAL mode, synchronous=FULL, one writer thread that gathers waiting commits into
// one transaction (a savepoint each), a few read-only connections.
#pragma once

#include <filesystem>

#include "catalog/catalog.h"

namespace lo::catalog {

inline constexpr int kSchemaVersion = 4;

// Opens or creates `file`. Migrates an older schema in one transaction; refuses a newer one with Code::unavailable naming
// both versions. Code::corrupt when it is no SQLite file. The destructor commits what was handed over, then stops.
Result<std::unique_ptr<Catalog>> open_sqlite_catalog(const std::filesystem::path& file);

// Writes what the catalog in `file` is at one moment to `copy`, which is made and belongs to its owner only; on disk when it returns.
// The catalog may be open anywhere and be written to: its writer is not held up. Code::not_found when there is no catalog. What is
// left of a copy that failed is the caller's to remove.
Status copy_sqlite_catalog(const std::filesystem::path& file, const std::filesystem::path& copy);

}  // namespace lo::catalog
