// A table written anew, group of rows by group.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"

namespace lo::dataset {

// What becomes of a group of rows whose first one has the given number (from 0). Called in several threads at once.
using Change = std::function<Result<std::shared_ptr<arrow::RecordBatch>>(const std::shared_ptr<arrow::RecordBatch>&, std::int64_t first_row)>;

// Reads the fields with these indexes, or all; reading, changing and writing overlap. `what` is done is said in errors: "the projection". Gives what
// TableWriter::finish() gives; the first error of reading, `change` and writing in the order of the rows; Code::cancelled. Blocks.
Result<store::Manifest> rewrite(TableReader& from, const std::optional<std::vector<int>>& indexes, const Change& change, TableWriter to,
                                const std::string& what, std::stop_token stop);

}  // namespace lo::dataset
