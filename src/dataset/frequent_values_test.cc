#include "dataset/frequent_values.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace lo::dataset {
namespace {

using Counts = std::map<std::uint64_t, std::int64_t>;

FrequentValues part_of(const Counts& counts) {
  std::vector<std::int64_t> only;
  for (const auto& [value, count] : counts) only.push_back(count);
  auto surplus = FrequentValues::surplus(only);
  FrequentValues values;
  for (const auto& [value, count] : counts)
    if (count > surplus) values.add({.id = value}, count - surplus);
  values.close(surplus);
  return values;
}

TEST(FrequentValues, FewAreCountedExactly) {
  Counts counts;
  for (std::uint64_t i = 0; i < FrequentValues::kMost; ++i) counts[i] = static_cast<std::int64_t>(i % 100) + 1;
  auto values = part_of(counts);
  values.merge(part_of({{7, 1000}, {8, 1000}}));
  EXPECT_TRUE(values.is_exact());
  EXPECT_EQ(values.size(), FrequentValues::kMost);
  auto first = values.first(3);
  ASSERT_EQ(first.size(), 3);
  EXPECT_EQ(first[0].value.id, 8);
  EXPECT_EQ(first[0].count, 1009);
  EXPECT_EQ(first[1].value.id, 7);
  EXPECT_EQ(first[2].value.id, 99);  // the first of those that occur a hundred times
}

TEST(FrequentValues, OneMoreAndNothingIsExact) {
  Counts counts;
  for (std::uint64_t i = 0; i <= FrequentValues::kMost; ++i) counts[i] = 1;
  counts[5] = 3;
  auto values = part_of(counts);
  EXPECT_FALSE(values.is_exact());
  EXPECT_EQ(values.error(), 1);
  auto first = values.first(10);
  ASSERT_EQ(first.size(), 1);
  EXPECT_EQ(first[0].value.id, 5);
  EXPECT_EQ(first[0].count, 2);
}

TEST(FrequentValues, TextsThatBeginOtherwiseAreOthers) {
  FrequentValues values;
  values.add({.id = 1, .text = "b"}, 2);
  values.add({.id = 1, .text = "a"}, 2);
  auto first = values.first(10);
  ASSERT_EQ(first.size(), 2);
  EXPECT_EQ(first[0].value.text, "a");
}

// Values of which some come much more often than others, in parts that are merged in two ways.
TEST(FrequentValues, TheStatedErrorHolds) {
  std::mt19937_64 random(33);
  for (double skew : {0.2, 1.0, 3.0}) {
    Counts whole;
    FrequentValues values, later;
    std::int64_t all = 0;
    for (int part = 0; part < 8; ++part) {
      Counts counts;
      for (int i = 0; i < 15'000; ++i) {
        auto even = std::uniform_real_distribution<double>(0, 1)(random);
        ++counts[static_cast<std::uint64_t>(20'000 * std::pow(even, skew))];
      }
      for (const auto& [value, count] : counts) whole[value] += count, all += count;
      (part % 2 == 0 ? values : later).merge(part_of(counts));
    }
    values.merge(std::move(later));
    EXPECT_LE(values.error(), all / static_cast<std::int64_t>(FrequentValues::kMost + 1)) << skew;
    EXPECT_FALSE(values.is_exact());
    std::map<std::uint64_t, std::int64_t> found;
    for (const auto& [value, count] : values.first(FrequentValues::kMost)) {
      EXPECT_LE(count, whole[value.id]);
      EXPECT_GE(count + values.error(), whole[value.id]);
      found[value.id] = count;
    }
    for (const auto& [value, count] : whole) EXPECT_TRUE(found.contains(value) || count <= 2 * values.error()) << value;
  }
}

}  // namespace
}  // namespace lo::dataset
