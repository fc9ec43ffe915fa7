#include "dataset/pulled_pieces.h"

#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <vector>

namespace lo::dataset {
namespace {

arrow::internal::ThreadPool& pool() { return *arrow::internal::GetCpuThreadPool(); }

PulledPieces<int>::Make numbers(std::atomic<int>& made) {
  return [&made](int i, const std::stop_token&) -> Result<int> {
    ++made;
    return i;
  };
}

std::size_t small(const int&) { return 1; }

TEST(PulledPieces, InOrder) {
  std::atomic<int> made = 0;
  PulledPieces<int> pieces(1000, 4, numbers(made), small);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(pieces.next()->value(), i);
  EXPECT_FALSE(pieces.next());
  EXPECT_FALSE(pieces.next());
  EXPECT_EQ(made, 1000);
}

TEST(PulledPieces, AFewAheadAndNoMore) {
  std::atomic<int> made = 0;
  PulledPieces<int> pieces(1000, 4, numbers(made), small);
  for (int taken = 1; taken < 10; ++taken) {
    ASSERT_TRUE(pieces.next());
    pool().WaitForIdle();
    EXPECT_EQ(made, taken + 4);
  }
}

TEST(PulledPieces, OneAheadWhereTheyAreLarge) {
  std::atomic<int> made = 0;
  PulledPieces<int> pieces(1000, 4, numbers(made), [](const int&) { return std::size_t{100} << 20; });
  for (int taken = 1; taken < 10; ++taken) {
    ASSERT_TRUE(pieces.next());
    pool().WaitForIdle();
    EXPECT_EQ(made, taken + 1);
  }
}

TEST(PulledPieces, AnErrorComesInItsPlace) {
  PulledPieces<int> pieces(
      3, 4, [](int i, const std::stop_token&) -> Result<int> { return i == 1 ? Result<int>(fail(Code::corrupt, "damaged")) : i; }, small);
  EXPECT_EQ(pieces.next()->value(), 0);
  EXPECT_EQ(pieces.next()->error().message, "damaged");
  EXPECT_EQ(pieces.next()->value(), 2);
}

// All of Arrow's threads are taken by somebody else, who does not give them back before this has ended.
TEST(PulledPieces, DoesNotWaitForBusyThreads) {
  std::promise<void> ended;
  std::shared_future<void> waits(ended.get_future());
  std::latch busy(pool().GetCapacity());
  for (int i = 0; i < pool().GetCapacity(); ++i)
    ASSERT_TRUE(pool().Spawn([&busy, waits] {
      busy.count_down();
      waits.wait();
    }).ok());
  busy.wait();
  std::atomic<int> made = 0;
  {
    PulledPieces<int> pieces(100, 4, numbers(made), small);
    while (pieces.next()) continue;
  }
  EXPECT_EQ(made, 100);
  ended.set_value();
  pool().WaitForIdle();
  EXPECT_EQ(made, 100);
}

// A piece that is being made is told, and those that nobody has begun are not made.
TEST(PulledPieces, StopsWhenItGoes) {
  std::atomic<int> made = 0;
  std::promise<void> began;
  {
    auto make = [&](int i, const std::stop_token& stop) -> Result<int> {
      ++made;
      if (i == 0) return 0;
      if (i == 1) began.set_value();
      std::promise<void> stopped;
      std::stop_callback told(stop, [&] { stopped.set_value(); });
      stopped.get_future().wait();
      return i;
    };
    PulledPieces<int> pieces(1000, 100, make, small);
    ASSERT_TRUE(pieces.next());
    began.get_future().wait();
  }
  pool().WaitForIdle();
  EXPECT_LE(made, 1 + pool().GetCapacity());
}

}  // namespace
}  // namespace lo::dataset
