#include "dataset/order.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <numeric>
#include <optional>

namespace lo::dataset {
namespace {

// Calls `with` with a null pointer to the array's own class; gives whether the type is one that has an order.
template <class With>
bool with_class(const arrow::DataType& type, With with) {
  switch (type.id()) {
    case arrow::Type::BOOL: return with(static_cast<const arrow::BooleanArray*>(nullptr));
    case arrow::Type::INT8: return with(static_cast<const arrow::Int8Array*>(nullptr));
    case arrow::Type::INT16: return with(static_cast<const arrow::Int16Array*>(nullptr));
    case arrow::Type::INT32: return with(static_cast<const arrow::Int32Array*>(nullptr));
    case arrow::Type::INT64: return with(static_cast<const arrow::Int64Array*>(nullptr));
    case arrow::Type::UINT8: return with(static_cast<const arrow::UInt8Array*>(nullptr));
    case arrow::Type::UINT16: return with(static_cast<const arrow::UInt16Array*>(nullptr));
    case arrow::Type::UINT32: return with(static_cast<const arrow::UInt32Array*>(nullptr));
    case arrow::Type::UINT64: return with(static_cast<const arrow::UInt64Array*>(nullptr));
    case arrow::Type::FLOAT: return with(static_cast<const arrow::FloatArray*>(nullptr));
    case arrow::Type::DOUBLE: return with(static_cast<const arrow::DoubleArray*>(nullptr));
    case arrow::Type::STRING: return with(static_cast<const arrow::StringArray*>(nullptr));
    case arrow::Type::LARGE_STRING: return with(static_cast<const arrow::LargeStringArray*>(nullptr));
    case arrow::Type::DATE32: return with(static_cast<const arrow::Date32Array*>(nullptr));
    case arrow::Type::DATE64: return with(static_cast<const arrow::Date64Array*>(nullptr));
    case arrow::Type::TIMESTAMP: return with(static_cast<const arrow::TimestampArray*>(nullptr));
    default: return false;
  }
}

template <class Array>
auto value_at(const Array& values, std::int64_t row) -> std::optional<decltype(values.GetView(row))> {
  if (values.IsNull(row)) return std::nullopt;
  auto value = values.GetView(row);
  if constexpr (std::floating_point<decltype(value)>)
    if (std::isnan(value)) return std::nullopt;
  return value;
}

template <class Array>
void sort(std::vector<std::int64_t>& rows, const Array& values, bool descending, std::int64_t most) {
  auto comes_first = [&](std::int64_t a, std::int64_t b) {
    auto one = value_at(values, a), other = value_at(values, b);  // nothing is less than any value
    if (one != other) return descending ? one > other : one < other;
    return a < b;
  };
  std::ranges::partial_sort(rows, rows.begin() + std::min(most, std::ssize(rows)), comes_first);
}

}  // namespace

bool has_order(const arrow::DataType& type) {
  return with_class(type, [](const auto*) { return true; });
}

std::vector<std::int64_t> order_of(const arrow::Array& values, bool descending, std::int64_t most) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(values.length()));
  std::iota(rows.begin(), rows.end(), 0);
  with_class(*values.type(), [&]<class Array>(const Array*) {
    sort(rows, static_cast<const Array&>(values), descending, most);
    return true;
  });
  rows.resize(static_cast<std::size_t>(std::min(most, values.length())));
  return rows;
}

}  // namespace lo::dataset
