// The whole of the embedded catalog, out of its file and into a new one.
#pragma once

#include <filesystem>

#include "catalog/contents.h"

namespace lo::catalog {

// Gives what is in `file`, which no server may have meanwhile; an older schema is migrated first. Errors as those of open_sqlite_catalog(), and
// those of `take`.
Result<std::int64_t> give_sqlite_contents(const std::filesystem::path& file, const TakePart& take);

// Makes `file`, which must not exist, a catalog of what `give` gives: on disk when it returns. After an error what is there is the caller's to remove.
Status make_sqlite_catalog(const std::filesystem::path& file, const GiveContents& give);

}  // namespace lo::catalog
