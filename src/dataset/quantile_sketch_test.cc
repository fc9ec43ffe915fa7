#include "dataset/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace lo::dataset {
namespace {

const std::vector<double> kShares{0, 0.01, 0.25, 0.5, 0.75, 0.99, 1};

std::vector<KeyCount> counts_of(const std::vector<std::uint64_t>& keys) {
  std::vector<KeyCount> counts;
  for (auto key : keys) counts.push_back({key, 1});
  return added_up(std::move(counts));
}

// By how much the rank of the key that was found is wrong.
std::int64_t error_of(const std::vector<std::uint64_t>& sorted, double share, std::uint64_t found) {
  auto wanted = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(share * static_cast<double>(sorted.size()))));
  auto [from, to] = std::ranges::equal_range(sorted, found);
  std::int64_t first = from - sorted.begin() + 1, last = to - sorted.begin();
  EXPECT_GE(last, first) << "it is one of the values";
  return std::max<std::int64_t>({0, first - wanted, wanted - last});
}

TEST(QuantileSketch, OfNothingThereAreNone) {
  QuantileSketch sketch;
  sketch.add({});
  EXPECT_TRUE(sketch.at(kShares).empty());
  EXPECT_EQ(sketch.error(), 0);
}

TEST(QuantileSketch, FewValuesAreExact) {
  QuantileSketch sketch, later;
  for (int part = 0; part < 100; ++part) (part < 50 ? sketch : later).add({{1, 3}, {2, 1}, {9, 4}});
  sketch.merge(std::move(later));
  EXPECT_EQ(sketch.error(), 0);
  EXPECT_EQ(sketch.at(std::vector{0.0, 0.375, 0.376, 0.5, 0.51, 1.0}), (std::vector<std::uint64_t>{1, 1, 2, 2, 9, 9}));
}

TEST(QuantileSketch, AHeavyValueStaysHeavy) {
  std::vector<KeyCount> keys;
  for (std::uint64_t i = 0; i < 5000; ++i) keys.push_back({i, i == 2500 ? 95'000 : 1});
  QuantileSketch sketch;
  sketch.add(keys);
  EXPECT_EQ(sketch.at(std::vector{0.1, 0.5, 0.9}), (std::vector<std::uint64_t>{2500, 2500, 2500}));
}

// Rising, random and skewed values, in parts of any size; what is stated holds, and is small.
TEST(QuantileSketch, TheStatedErrorHolds) {
  std::mt19937_64 random(33);
  for (int kind = 0; kind < 3; ++kind)
    for (int parts : {1, 5, 16, 40}) {
      QuantileSketch sketch, later;
      std::vector<std::uint64_t> all;
      for (int part = 0; part < parts; ++part) {
        std::vector<std::uint64_t> keys(random() % 8'000 + 1);
        for (auto& key : keys) key = kind == 0 ? all.size() + random() % 10 : kind == 1 ? random() : random() % 3'000 * (random() % 3'000);
        all.insert(all.end(), keys.begin(), keys.end());
        (part < parts / 2 ? sketch : later).add(counts_of(keys));
      }
      sketch.merge(std::move(later));
      std::ranges::sort(all);
      EXPECT_LE(sketch.error(), std::ssize(all) / 1000) << kind << " " << parts;
      auto found = sketch.at(kShares);
      ASSERT_EQ(found.size(), kShares.size());
      for (std::size_t i = 0; i < kShares.size(); ++i)
        EXPECT_LE(error_of(all, kShares[i], found[i]), sketch.error()) << kind << " " << parts << " " << kShares[i];
    }
}

TEST(QuantileSketch, IsBounded) {
  QuantileSketch sketch;
  std::uint64_t next = 0;
  for (int part = 0; part < 600; ++part) {
    std::vector<KeyCount> keys;
    for (int i = 0; i < 2'500; ++i) keys.push_back({next++, 1});
    sketch.add(std::move(keys));
  }
  EXPECT_LT(sketch.kept(), 4 * 16 * 2'048);
  EXPECT_LE(sketch.error(), static_cast<std::int64_t>(next) / 1000);
  EXPECT_NEAR(static_cast<double>(sketch.at(std::vector{0.5})[0]), static_cast<double>(next) / 2, static_cast<double>(next) / 1000);
}

}  // namespace
}  // namespace lo::dataset
