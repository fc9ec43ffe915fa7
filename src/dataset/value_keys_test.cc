#include "dataset/value_keys.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace lo::dataset {
namespace {

template <class Builder, class Value>
std::shared_ptr<arrow::Array> array_of(std::vector<std::optional<Value>> values, Builder builder = Builder()) {
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

// What the keys show, with how often: "-1×2 7×1".
std::string shown(const arrow::Array& values, std::span<const std::int64_t> counts = {}) {
  std::string text;
  for (const auto& [key, count] : count_keys(values, counts).keys) text += write_json(key_json(values.type(), key)) + "×" + std::to_string(count) + " ";
  return text;
}

TEST(ValueKeys, RiseWithTheValues) {
  auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(shown(*array_of<arrow::Int64Builder, std::int64_t>({most, -1, 7, {}, least, -1, 0})),
            "-9223372036854775808×1 -1×2 0×1 7×1 9223372036854775807×1 ");
  EXPECT_EQ(shown(*array_of<arrow::UInt64Builder, std::uint64_t>({std::numeric_limits<std::uint64_t>::max(), 0, 3})), "0×1 3×1 18446744073709551615×1 ");
  EXPECT_EQ(shown(*array_of<arrow::Int8Builder, std::int8_t>({3, -128, 127, -1})), "-128×1 -1×1 3×1 127×1 ");
  EXPECT_EQ(shown(*array_of<arrow::DoubleBuilder, double>({0.5, -1e300, 1e-300, -0.25, 0.5})), "-1e+300×1 -0.25×1 1e-300×1 0.5×2 ");
  EXPECT_EQ(shown(*array_of<arrow::FloatBuilder, float>({1.5F, -2.5F})), "-2.5×1 1.5×1 ");
  EXPECT_EQ(shown(*array_of<arrow::BooleanBuilder, bool>({true, false, {}, true})), "false×1 true×2 ");
}

TEST(ValueKeys, TimesAreShownAsPagesShowThem) {
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), arrow::default_memory_pool());
  EXPECT_EQ(shown(*array_of<arrow::TimestampBuilder&, std::int64_t>({1'500'000, -1, {}}, builder)),
            R"("1969-12-31T23:59:59.999999Z"×1 "1970-01-01T00:00:01.5Z"×1 )");
  EXPECT_EQ(shown(*array_of<arrow::Date32Builder, std::int32_t>({1, -1})), R"("1969-12-31"×1 "1970-01-02"×1 )");
  EXPECT_EQ(write_json(number_json(arrow::timestamp(arrow::TimeUnit::SECOND), 0.6)), R"("1970-01-01T00:00:01")");
}

TEST(ValueKeys, WhatIsNotFiniteHasNoneAndMinusZeroIsZero) {
  auto infinity = std::numeric_limits<double>::infinity();
  auto values = array_of<arrow::DoubleBuilder, double>({std::nan(""), infinity, {}, -infinity, -0.0, 0.0});
  EXPECT_EQ(shown(*values), "0×2 ");
  EXPECT_EQ(count_keys(*values).not_finite, 3);
  std::vector<std::int64_t> counts{10, 20, 30, 40, 50, 60};
  EXPECT_EQ(shown(*values, counts), "0×110 ");
  EXPECT_EQ(count_keys(*values, counts).not_finite, 70);
}

TEST(ValueKeys, OfCountedValuesAreThoseOfAllOfThem) {
  std::vector<std::int64_t> counts{2, 0, 1, 3};
  EXPECT_EQ(shown(*array_of<arrow::Int64Builder, std::int64_t>({5, 9, -1, 5}), counts), "-1×1 5×5 ");
}

TEST(ValueKeys, AreSorted) {
  std::mt19937_64 random(33);
  for (std::size_t size : {0UZ, 1UZ, 255UZ, 256UZ, 10'000UZ})
    for (std::uint64_t mask : {~std::uint64_t{0}, std::uint64_t{0xff00ff00}, std::uint64_t{0}, std::uint64_t{1} << 63}) {
      std::vector<std::uint64_t> keys(size);
      for (auto& key : keys) key = random() & mask;
      auto sorted = keys;
      std::ranges::sort(sorted);
      sort_keys(keys);
      EXPECT_EQ(keys, sorted) << size << " " << mask;
    }
}

TEST(ValueKeys, AreNumbers) {
  EXPECT_EQ(key_number(*arrow::int32(), count_keys(*array_of<arrow::Int32Builder, std::int32_t>({-7})).keys[0].key), -7);
  EXPECT_EQ(key_number(*arrow::float64(), count_keys(*array_of<arrow::DoubleBuilder, double>({-0.5})).keys[0].key), -0.5);
  EXPECT_EQ(key_number(*arrow::uint8(), count_keys(*array_of<arrow::UInt8Builder, std::uint8_t>({200})).keys[0].key), 200);
}

}  // namespace
}  // namespace lo::dataset
