// What a Parquet file holds, read from its footer.
#pragma once

#include <filesystem>

#include "store/manifest.h"

namespace lo::dataset {

// Fields and rows of any Parquet file, also one that pandas or Spark made: kind table, the file's name as its one part
// (digest and bytes are for store::publish to fill in). Code::corrupt when it is no Parquet file. Blocks for a millisecond.
Result<store::Manifest> describe_parquet(const std::filesystem::path& path);

}  // namespace lo::dataset
