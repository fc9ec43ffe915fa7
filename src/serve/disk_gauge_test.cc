#include "serve/disk_gauge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/testing/temporary_folder.h"

namespace lo::serve {
namespace {

using testing::HasSubstr;

TEST(CheckRoom, RefusesFromThePercentageOnNamingTheFreeBytes) {
  EXPECT_TRUE(check_room({.free = 51, .total = 1000}, 95));
  auto refused = check_room({.free = 50, .total = 1000}, 95);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::no_space);
  EXPECT_THAT(refused.error().message, HasSubstr("50 bytes are free"));
  EXPECT_THAT(refused.error().message, HasSubstr("95 %"));
  EXPECT_FALSE(check_room({.free = 0, .total = 1000}, 100));
  EXPECT_TRUE(check_room({}, 0.0001));  // nothing is known
}

TEST(ReadDiskSpace, IsThatOfTheFolder) {
  TemporaryFolder folder;
  auto space = read_disk_space(folder.path());
  ASSERT_TRUE(space);
  EXPECT_GT(space->total, 0);
  EXPECT_GE(space->total, space->free);
  EXPECT_FALSE(read_disk_space(folder.path() / "missing"));
}

class DiskGaugeTest : public testing::Test {
 protected:
  // What was posted to the pool before has been done.
  void settle() {
    std::promise<void> done;
    pool_.post([&] { done.set_value(); });
    done.get_future().wait();
  }

  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::atomic<std::int64_t> free_ = 500;
  std::atomic<int> reads_ = 0;
  std::atomic<bool> broken_ = false;
  BlockingPool pool_{1};
  DiskGauge gauge_{[this]() -> Result<DiskSpace> {
                     ++reads_;
                     if (broken_) return fail(Code::io, "no disk");
                     return DiskSpace{.free = free_, .total = 1000};
                   },
                   95, clock_, pool_};
};

TEST_F(DiskGaugeTest, ReadsAtMostOnceASecond) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(gauge_.check());
  settle();
  EXPECT_EQ(reads_, 1);
  free_ = 10;
  clock_->advance(std::chrono::seconds(1));
  for (int i = 0; i < 100; ++i) (void)gauge_.check();
  settle();
  EXPECT_EQ(reads_, 2);
  EXPECT_EQ(gauge_.check().error().code, Code::no_space);
}

TEST_F(DiskGaugeTest, WhatCannotBeReadLeavesItAsItWas) {
  broken_ = true;
  clock_->advance(std::chrono::seconds(1));
  (void)gauge_.check();
  settle();
  EXPECT_EQ(reads_, 2);
  EXPECT_TRUE(gauge_.check());
}

TEST(DiskSpaceOfSeveral, IsThatOfTheFullest) {
  auto share = [](DiskSpace space) { return static_cast<double>(space.free) / static_cast<double>(space.total); };
  auto disk = read_disk_space("/").value();
  auto memory = read_disk_space("/dev/shm").value();
  auto fullest = read_fullest_disk({"/", "/dev/shm"}).value();
  EXPECT_EQ(fullest.total, share(disk) < share(memory) ? disk.total : memory.total);
  EXPECT_EQ(read_fullest_disk({"/dev/shm", "/"}).value().total, fullest.total);
  EXPECT_FALSE(read_fullest_disk({"/", "/absent"}));
}

}  // namespace
}  // namespace lo::serve
