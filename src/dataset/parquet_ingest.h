// A Parquet file of somebody else's as a table of ours.
#pragma once

#include <filesystem>
#include <stop_token>

#include "dataset/ingest.h"

namespace lo::dataset {

// Reads the Parquet file `from` and writes `parquet_out`, which does not exist yet, with row groups of our size; types stay as they are, nested
// ones, too. Memory is bounded by some batches of rows, however large the row groups of `from` are. Gives a draft for store::publish.
//
// Code::unacceptable for what is no Parquet file, is encrypted, cut off or damaged, for two fields of one name, a field without one or called
// `_id`, and more than 10,000. Code::cancelled between two batches once `stop` asks for it. On any error `parquet_out` is removed.
//
// Blocks for as long as it takes: call it on the BlockingPool. Any number at once.
Result<store::Manifest> ingest_parquet(const std::filesystem::path& from, const std::filesystem::path& parquet_out, const Progress& progress = {},
                                       std::stop_token stop = {});

}  // namespace lo::dataset
