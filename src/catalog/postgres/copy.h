// The whole of a catalog in a PostgreSQL, out of it and into an empty one.
#pragma once

#include <chrono>
#include <string>

#include "catalog/contents.h"

namespace lo::catalog {

// For which each of these waits for a server that was killed to be let go of.
inline constexpr std::chrono::milliseconds kCopyPatience{10'000};

// Gives what is in the catalog, which is held meanwhile as a server holds it. Errors as those of open_postgres_catalog(), and those of `take`.
Result<std::int64_t> give_postgres_contents(const std::string& url, const TakePart& take);

// Whether there is a catalog that holds nothing; its tables are made if they are missing.
Result<bool> is_empty_postgres_catalog(const std::string& url);

// Puts what `give` gives into the catalog, in one transaction: all of it or nothing. Its tables are made if they are missing. Code::conflict when it
// holds something already, or a server holds it.
Status fill_postgres_catalog(const std::string& url, const GiveContents& give, std::chrono::milliseconds patience = kCopyPatience);

}  // namespace lo::catalog
