#include "base/clock.h"

#include <gtest/gtest.h>

namespace lo {
namespace {

using namespace std::chrono_literals;

TEST(FormatTimeTest, IsTheFormOf2021) {
  EXPECT_EQ(format_time(from_micros(0)), "1970-01-01T00:00:00-00:00");
  EXPECT_EQ(format_time(from_micros(1'769'854'830'000'000)), "2026-01-31T10:20:30-00:00");
}

TEST(FormatTimeTest, CutsFractionsDownwards) {
  EXPECT_EQ(format_time(from_micros(1'999'999)), "1970-01-01T00:00:01-00:00");
  EXPECT_EQ(format_time(from_micros(-1)), "1969-12-31T23:59:59-00:00");
}

TEST(MicrosTest, GoesThereAndBack) {
  WallTime time = from_micros(1'769'854'830'123'456);
  EXPECT_EQ(to_micros(time), 1'769'854'830'123'456);
}

TEST(FakeClockTest, StandsStillUntilAdvanced) {
  FakeClock clock;
  auto wall = clock.now();
  auto steady = clock.steady();
  EXPECT_EQ(clock.now(), wall);
  clock.advance(90s);
  EXPECT_EQ(clock.now() - wall, 90s);
  EXPECT_EQ(clock.steady() - steady, 90s);
}

TEST(FakeClockTest, JumpMovesTheWallClockAlone) {
  FakeClock clock;
  auto wall = clock.now();
  auto steady = clock.steady();
  clock.jump_wall(-1h);
  EXPECT_EQ(clock.now() - wall, -1h);
  EXPECT_EQ(clock.steady(), steady);
}

TEST(SystemClockTest, SteadyNeverGoesBack) {
  SystemClock clock;
  auto before = clock.steady();
  EXPECT_GE(clock.steady(), before);
  EXPECT_GT(to_micros(clock.now()), 1'700'000'000'000'000);
}

}  // namespace
}  // namespace lo
