// The conversion of one column, for dataset/csv's types and for transform/dataType.
#pragma once

#include <arrow/type_fwd.h>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "dataset/text_values.h"
#include "dataset/types.h"

namespace lo::dataset {

// `column` in the given type, as cast.h says. Throws std::bad_alloc when memory ends.
std::expected<std::shared_ptr<arrow::Array>, BadCell> convert(const std::shared_ptr<arrow::Array>& column, Type type);

// "field 'Age': 'abc' is not a number", and the same after "row 3, ".
std::string describe_value(const BadCell& cell, std::string_view field, Type type);
std::string describe(const BadCell& cell, std::string_view field, Type type, std::int64_t rows_before);

}  // namespace lo::dataset
