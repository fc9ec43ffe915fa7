// The environments of deleted steps: their files go at the next start, when no job can be using them.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "catalog/catalog.h"

namespace lo::serve {

// The digest of the one that this revision made; "" when it made none.
std::string environment_of(const catalog::Revision& revision);

// The digests of those that some revision made. Blocks.
Result<std::set<std::string>> used_environments(catalog::Catalog& catalog);

// Removes from `data` every environment that no revision in the catalog made. Before any job starts. Blocks while files are removed.
Status remove_unused_environments(catalog::Catalog& catalog, const std::filesystem::path& data);

}  // namespace lo::serve
