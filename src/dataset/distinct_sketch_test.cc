#include "dataset/distinct_sketch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace lo::dataset {
namespace {

DistinctSketch of_range(std::uint64_t from, std::uint64_t to) {
  DistinctSketch sketch;
  for (auto i = from; i < to; ++i) sketch.add(hash_of(i));
  return sketch;
}

TEST(DistinctSketch, OfNothingAndOfOne) {
  EXPECT_EQ(DistinctSketch().estimate(), 0);
  EXPECT_NEAR(of_range(7, 8).estimate(), 1, 0.01);
}

TEST(DistinctSketch, ValuesThatComeAgainChangeNothing) {
  auto once = of_range(0, 10'000), twice = once;
  twice.merge(of_range(2'000, 9'000));
  EXPECT_EQ(once.estimate(), twice.estimate());
}

TEST(DistinctSketch, PartsMakeTheWhole) {
  auto parts = of_range(0, 30'000);
  parts.merge(of_range(20'000, 100'000));
  EXPECT_EQ(parts.estimate(), of_range(0, 100'000).estimate());
}

// Of 60 sets of each size: the mean is not off, and the spread is what is said.
TEST(DistinctSketch, TheStatedErrorHolds) {
  constexpr std::uint64_t kSets = 60;
  for (std::uint64_t size : {1'000, 5'000, 20'000, 40'000}) {
    double sum = 0, squares = 0;
    for (std::uint64_t set = 0; set < kSets; ++set) {
      auto error = of_range(set << 32, (set << 32) + size).estimate() / static_cast<double>(size) - 1;
      sum += error;
      squares += error * error;
    }
    EXPECT_LT(std::abs(sum / kSets), 4 * DistinctSketch::kRelativeError / std::sqrt(kSets)) << size;
    EXPECT_LT(std::sqrt(squares / kSets), 1.25 * DistinctSketch::kRelativeError) << size;
  }
}

TEST(DistinctSketch, OfManyTexts) {
  DistinctSketch sketch;
  for (int i = 0; i < 300'000; ++i) sketch.add(hash_of(std::string_view("text " + std::to_string(i))));
  EXPECT_NEAR(sketch.estimate(), 3e5, 4 * DistinctSketch::kRelativeError * 3e5);
}

}  // namespace
}  // namespace lo::dataset
