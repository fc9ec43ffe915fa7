#include "base/ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>

namespace lo {
namespace {

std::size_t one(const int&) { return 1; }

TEST(Ahead, GivesEverythingInOrder) {
  Ahead<int> ahead("test", 3, [i = 0]() mutable { return i < 10'000 ? std::optional(i++) : std::nullopt; }, one);
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(ahead.next(), i);
  EXPECT_EQ(ahead.next(), std::nullopt);
  EXPECT_EQ(ahead.next(), std::nullopt);
}

TEST(Ahead, IsNotFurtherAheadThanItMay) {
  std::atomic<int> made = 0;
  int used = 0;
  Ahead<int> ahead(
      "test", 4,
      [&]() -> std::optional<int> {
        if (made == 1'000) return std::nullopt;
        return ++made;
      },
      one);
  while (ahead.next()) {
    ++used;
    EXPECT_LE(made, used + 5);  // those that wait, and one that is being made
  }
  EXPECT_EQ(used, 1'000);
}

TEST(Ahead, EndsWithoutBeingUsedUp) {
  auto alive = std::make_shared<int>();
  {
    std::latch begun(1);
    Ahead<int> ahead(
        "test", 2,
        [&begun, alive, first = true]() mutable {
          if (std::exchange(first, false)) begun.count_down();
          return std::optional(1);
        },
        one);
    begun.wait();
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(Ahead, OneThatWeighsMoreThanAllMayIsStillGiven) {
  Ahead<int> ahead("test", 1, [i = 0]() mutable { return i < 3 ? std::optional(i++) : std::nullopt; }, [](const int&) { return std::size_t{100}; });
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ahead.next(), i);
  EXPECT_FALSE(ahead.next());
}

}  // namespace
}  // namespace lo
