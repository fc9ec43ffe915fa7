// How often each value of a column occurs, from the numbers of the values, where a Parquet file has a dictionary of them: no value is decoded twice.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>

#include "base/error.h"
#include "dataset/table_source.h"

namespace parquet {
class RowGroupReader;
}

namespace lo::dataset {

// Nothing when the group has no dictionary for all values of the column, which is one that parquet_rows.h's reads_rows() takes. Code::corrupt;
// throws what Parquet throws.
Result<std::optional<GroupCounts>> count_by_dictionary(parquet::RowGroupReader& group, int column, const std::shared_ptr<arrow::DataType>& type);

}  // namespace lo::dataset
