// Which rows match a query, found column by column. Pure; any thread.
#pragma once

#include <arrow/type_fwd.h>
#include <cstdint>
#include <vector>

#include "dataset/query_tree.h"

namespace lo::dataset {

// One per row: whether it matches.
using Marks = std::vector<std::uint8_t>;

// The rows of the batch that match as the documents of row_json() do, the first of which has the `_id` `first_id`. Columns of numbers, texts and
// booleans are gone through as they are; of others each row becomes a document, where the conditions before left it open.
Marks matching(const Condition& condition, const arrow::RecordBatch& batch, std::int64_t first_id);

}  // namespace lo::dataset
