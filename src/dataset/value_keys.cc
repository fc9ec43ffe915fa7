#include "dataset/value_keys.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <utility>

#include "dataset/cell.h"

namespace lo::dataset {
namespace {

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

// Calls `with` with a null pointer to the array's own class; gives whether the type is one that has keys.
template <class With>
bool with_class(const arrow::DataType& type, With with) {
  switch (type.id()) {
    case arrow::Type::BOOL: with(static_cast<const arrow::BooleanArray*>(nullptr)); return true;
    case arrow::Type::INT8: with(static_cast<const arrow::Int8Array*>(nullptr)); return true;
    case arrow::Type::INT16: with(static_cast<const arrow::Int16Array*>(nullptr)); return true;
    case arrow::Type::INT32: with(static_cast<const arrow::Int32Array*>(nullptr)); return true;
    case arrow::Type::INT64: with(static_cast<const arrow::Int64Array*>(nullptr)); return true;
    case arrow::Type::UINT8: with(static_cast<const arrow::UInt8Array*>(nullptr)); return true;
    case arrow::Type::UINT16: with(static_cast<const arrow::UInt16Array*>(nullptr)); return true;
    case arrow::Type::UINT32: with(static_cast<const arrow::UInt32Array*>(nullptr)); return true;
    case arrow::Type::UINT64: with(static_cast<const arrow::UInt64Array*>(nullptr)); return true;
    case arrow::Type::FLOAT: with(static_cast<const arrow::FloatArray*>(nullptr)); return true;
    case arrow::Type::DOUBLE: with(static_cast<const arrow::DoubleArray*>(nullptr)); return true;
    case arrow::Type::DATE32: with(static_cast<const arrow::Date32Array*>(nullptr)); return true;
    case arrow::Type::DATE64: with(static_cast<const arrow::Date64Array*>(nullptr)); return true;
    case arrow::Type::TIMESTAMP: with(static_cast<const arrow::TimestampArray*>(nullptr)); return true;
    default: return false;
  }
}

std::uint64_t key_of(bool value) { return value ? 1 : 0; }
std::uint64_t key_of(std::unsigned_integral auto value) { return value; }
std::uint64_t key_of(std::signed_integral auto value) { return static_cast<std::uint64_t>(std::int64_t{value}) ^ kSign; }
std::uint64_t key_of(std::floating_point auto value) {
  auto bits = std::bit_cast<std::uint64_t>(static_cast<double>(value) + 0.0);  // minus zero becomes zero
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

std::int64_t whole_of(std::uint64_t key) { return static_cast<std::int64_t>(key ^ kSign); }
double floating_of(std::uint64_t key) { return std::bit_cast<double>((key & kSign) != 0 ? key ^ kSign : ~key); }

bool is_natural(const arrow::DataType& type) { return arrow::is_unsigned_integer(type.id()) || type.id() == arrow::Type::BOOL; }

json::value scalar_json(const arrow::Result<std::shared_ptr<arrow::Scalar>>& scalar) {
  if (!scalar.ok()) return nullptr;
  auto array = arrow::MakeArrayFromScalar(**scalar, 1);
  return array.ok() ? cell_json(**array, 0) : nullptr;
}

// Of times: the number is one of units.
json::value time_json(const std::shared_ptr<arrow::DataType>& type, std::int64_t units) {
  if (type->id() == arrow::Type::DATE32) return scalar_json(std::make_shared<arrow::Date32Scalar>(static_cast<std::int32_t>(units)));
  if (type->id() == arrow::Type::DATE64) return scalar_json(std::make_shared<arrow::Date64Scalar>(units));
  return scalar_json(std::make_shared<arrow::TimestampScalar>(units, type));
}

bool is_time(const arrow::DataType& type) { return type.id() == arrow::Type::TIMESTAMP || arrow::is_date(type.id()); }

json::value floating_json(double value) { return scalar_json(std::make_shared<arrow::DoubleScalar>(value)); }

// Calls `with` with each key and its row. Gives how many rows have others than finite values and nulls, as `weight` counts them.
template <class Array, class Weight, class With>
std::int64_t each_key(const Array& values, Weight weight, With with) {
  std::int64_t not_finite = 0;
  bool has_nulls = values.null_count() > 0;
  for (std::int64_t row = 0; row < values.length(); ++row) {
    if (has_nulls && values.IsNull(row)) continue;
    auto value = values.Value(row);
    if constexpr (std::floating_point<decltype(value)>) {
      if (!std::isfinite(value)) {
        not_finite += weight(row);
        continue;
      }
    }
    with(key_of(value), row);
  }
  return not_finite;
}

std::vector<KeyCount> counted(std::vector<std::uint64_t> keys) {
  sort_keys(keys);
  std::vector<KeyCount> counts;
  for (auto key : keys) {
    if (counts.empty() || counts.back().key != key) counts.push_back({key, 0});
    ++counts.back().count;
  }
  return counts;
}

template <class Array>
KeyCounts count_rows(const Array& values) {
  KeyCounts found;
  std::vector<std::uint64_t> keys;
  keys.reserve(static_cast<std::size_t>(values.length()));
  found.not_finite = each_key(values, [](std::int64_t) { return 1; }, [&](std::uint64_t key, std::int64_t) { keys.push_back(key); });
  found.keys = counted(std::move(keys));
  return found;
}

template <class Array>
KeyCounts count_weighted(const Array& values, std::span<const std::int64_t> counts) {
  KeyCounts found;
  std::vector<KeyCount> keys;
  auto weight = [&](std::int64_t row) { return counts[static_cast<std::size_t>(row)]; };
  found.not_finite = each_key(values, weight, [&](std::uint64_t key, std::int64_t row) {
    if (weight(row) > 0) keys.push_back({key, weight(row)});
  });
  found.keys = added_up(std::move(keys));
  return found;
}

}  // namespace

bool has_keys(const arrow::DataType& type) {
  return with_class(type, [](const auto*) {});
}

KeyCounts count_keys(const arrow::Array& values, std::span<const std::int64_t> counts) {
  KeyCounts found;
  with_class(*values.type(), [&]<class Array>(const Array*) {
    const auto& array = static_cast<const Array&>(values);
    found = counts.empty() ? count_rows(array) : count_weighted(array, counts);
  });
  return found;
}

double key_number(const arrow::DataType& type, std::uint64_t key) {
  if (arrow::is_floating(type.id())) return floating_of(key);
  return is_natural(type) ? static_cast<double>(key) : static_cast<double>(whole_of(key));
}

json::value key_json(const std::shared_ptr<arrow::DataType>& type, std::uint64_t key) {
  if (type->id() == arrow::Type::BOOL) return key != 0;
  if (is_natural(*type)) return key;
  if (arrow::is_floating(type->id())) return floating_json(floating_of(key));
  return is_time(*type) ? time_json(type, whole_of(key)) : json::value(whole_of(key));
}

json::value number_json(const std::shared_ptr<arrow::DataType>& type, double number) {
  if (!is_time(*type) || !std::isfinite(number)) return floating_json(number);
  return time_json(type, static_cast<std::int64_t>(std::llround(number)));
}

void sort_keys(std::vector<std::uint64_t>& keys) {
  constexpr std::size_t kFew = 256;
  if (keys.size() < kFew) {
    std::ranges::sort(keys);
    return;
  }
  constexpr int kBytes = 8;
  std::array<std::array<std::uint32_t, 256>, kBytes> counts{};
  for (auto key : keys)
    for (int byte = 0; byte < kBytes; ++byte) ++counts[static_cast<std::size_t>(byte)][key >> (8 * byte) & 0xff];
  std::vector<std::uint64_t> other(keys.size());
  for (int byte = 0; byte < kBytes; ++byte) {
    auto& places = counts[static_cast<std::size_t>(byte)];
    if (std::ranges::find(places, keys.size()) != places.end()) continue;  // the byte of all
    std::uint32_t next = 0;
    for (auto& place : places) next += std::exchange(place, next);
    for (auto key : keys) other[places[key >> (8 * byte) & 0xff]++] = key;
    keys.swap(other);
  }
}

std::vector<KeyCount> added_up(std::vector<KeyCount> keys) {
  std::ranges::sort(keys, {}, &KeyCount::key);
  std::vector<KeyCount> counts;
  for (const auto& [key, count] : keys) {
    if (!counts.empty() && counts.back().key == key)
      counts.back().count += count;
    else
      counts.push_back({key, count});
  }
  return counts;
}

}  // namespace lo::dataset
