// The order of a column's values. Pure.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <vector>

namespace lo::dataset {

// Whether order_of() knows an order of such values: booleans, whole and floating numbers, texts (by their bytes), dates and times.
bool has_order(const arrow::DataType& type);

// The numbers of the first `most` rows by value, rising or falling; null and NaN are less than all values, equal values are in the order of their rows.
std::vector<std::int64_t> order_of(const arrow::Array& values, bool descending, std::int64_t most);

}  // namespace lo::dataset
