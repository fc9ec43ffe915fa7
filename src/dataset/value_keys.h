// Numbers, booleans, dates and times as whole numbers of 64 bits in the order of the values, so that they are sorted and counted alike. Pure.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/json.h"

namespace lo::dataset {

// A key and how often it occurs.
struct KeyCount {
  std::uint64_t key;
  std::int64_t count;
  bool operator==(const KeyCount&) const = default;
};

// Whether values of the type have keys: integers, float32 and float64, booleans, dates, timestamps.
bool has_keys(const arrow::DataType& type);

struct KeyCounts {
  std::vector<KeyCount> keys;   // each once, rising
  std::int64_t not_finite = 0;  // NaN and infinities, which have no key
};

// Of an array whose type has keys; nulls are left out. With `counts` each value occurs so often, else once. Minus zero is zero.
KeyCounts count_keys(const arrow::Array& values, std::span<const std::int64_t> counts = {});

// Keys in any order, some of them several times: each once, rising.
std::vector<KeyCount> added_up(std::vector<KeyCount> keys);

// The value as a number: of times, the units of the type since 1970.
double key_number(const arrow::DataType& type, std::uint64_t key);

// As cell_json shows the value.
json::value key_json(const std::shared_ptr<arrow::DataType>& type, std::uint64_t key);

// The same for a number among such values, such as their mean: null where it is not finite.
json::value number_json(const std::shared_ptr<arrow::DataType>& type, double number);

// By radix, some 10 ns for each. Fewer than 2^32 of them.
void sort_keys(std::vector<std::uint64_t>& keys);

}  // namespace lo::dataset
