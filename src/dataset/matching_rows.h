// The rows of a group that match a query.
#pragma once

#include <cstdint>
#include <vector>

#include "dataset/query_scan.h"

namespace lo::dataset {

// Their `_id`, rising. Nothing is read where the query says nothing of values.
Result<std::vector<std::int64_t>> matching_ids(TableReader& table, const QueryScan& scan, const Query& query, int group);

}  // namespace lo::dataset
