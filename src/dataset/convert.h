// The conversion of one column, for dataset/csv's types and for transform/dataType.
#pragma once

#include <arrow/type_fwd.h>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "dataset/types.h"

namespace lo::dataset {

// The first cell that does not convert.
struct BadCell {
  std::int64_t row = 0;  // from 0, in the array
  std::string value;
};

// `column` in the given type, as cast.h says. Throws std::bad_alloc when memory ends.
std::expected<std::shared_ptr<arrow::Array>, BadCell> convert(const std::shared_ptr<arrow::Array>& column, Type type);

// "field 'Age': 'abc' is not a number", and the same after "row 3, ".
std::string describe_value(const BadCell& cell, std::string_view field, Type type);
std::string describe(const BadCell& cell, std::string_view field, Type type, std::int64_t rows_before);

// Whether a text is of `type`; an empty one is of every type.
bool parses_as(std::string_view text, Type type);

}  // namespace lo::dataset
