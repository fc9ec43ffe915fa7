// The environments of deleted steps: their files go at the next start, when no job can be using them.
#pragma once

#include <filesystem>

#include "catalog/catalog.h"

namespace lo::serve {

// Removes from `data` every environment that no revision in the catalog made. Before any job starts. Blocks while files are removed.
Status remove_unused_environments(catalog::Catalog& catalog, const std::filesystem::path& data);

}  // namespace lo::serve
