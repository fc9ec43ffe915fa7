// Conditions on the values of one column.
#pragma once

#include <arrow/type_fwd.h>

#include <optional>

#include "dataset/column_match.h"

namespace lo::dataset {

// For each row whether the column's value meets the condition; undefined where `wanted` is 0. Nothing for columns whose values are neither numbers,
// texts nor booleans.
std::optional<Marks> test_column(const Compare& compare, const arrow::Array& column, const Marks& wanted);
std::optional<Marks> test_column(const In& in, const arrow::Array& column, const Marks& wanted);
std::optional<Marks> test_column(const Regex& regex, const arrow::Array& column, const Marks& wanted);

}  // namespace lo::dataset
