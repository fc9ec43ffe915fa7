#include "run/lifecycle.h"

#include <gtest/gtest.h>

namespace lo::run {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LifecycleTest : public testing::Test {
 protected:
  // Brings it to warm, from cold or from the delay of a restart.
  void start() {
    ASSERT_TRUE(life_.wanted(clock_.steady()) || life_.due());
    life_.ready(clock_.steady());
  }

  FakeClock clock_;
  Lifecycle life_;
};

TEST_F(LifecycleTest, StartsOnFirstNeedOnly) {
  EXPECT_EQ(life_.phase(), Phase::cold);
  EXPECT_TRUE(life_.wanted(clock_.steady()));
  EXPECT_EQ(life_.phase(), Phase::starting);
  EXPECT_FALSE(life_.wanted(clock_.steady()));
  life_.ready(clock_.steady());
  EXPECT_EQ(life_.phase(), Phase::warm);
  EXPECT_FALSE(life_.wanted(clock_.steady()));
}

TEST_F(LifecycleTest, RestartsAtOnceAfterALongLife) {
  start();
  clock_.advance(seconds{11});
  EXPECT_EQ(life_.ended(clock_.steady()), Duration::zero());
  EXPECT_EQ(life_.phase(), Phase::restarting);
  EXPECT_FALSE(life_.wanted(clock_.steady()));
  EXPECT_TRUE(life_.due());
  EXPECT_FALSE(life_.due());
}

TEST_F(LifecycleTest, BacksOffAndBreaksAfterThreeFailedStarts) {
  life_.wanted(clock_.steady());
  EXPECT_EQ(life_.ended(clock_.steady()), milliseconds{100});
  EXPECT_TRUE(life_.due());
  EXPECT_EQ(life_.ended(clock_.steady()), milliseconds{200});
  EXPECT_TRUE(life_.due());
  EXPECT_EQ(life_.ended(clock_.steady()), std::nullopt);
  EXPECT_EQ(life_.phase(), Phase::broken);
  EXPECT_FALSE(life_.due());
}

TEST_F(LifecycleTest, QuickDeathsAfterReadyBreakItToo) {
  for (int i = 0; i < 3; ++i) {
    start();
    clock_.advance(seconds{1});
    life_.ended(clock_.steady());
  }
  EXPECT_EQ(life_.phase(), Phase::broken);
}

TEST_F(LifecycleTest, ALongLifeClearsTheRecord) {
  life_.wanted(clock_.steady());
  life_.ended(clock_.steady());
  start();
  clock_.advance(seconds{20});
  life_.ended(clock_.steady());
  EXPECT_EQ(life_.failures(), 0);
}

TEST_F(LifecycleTest, BrokenIsTriedAgainOnDemandAfterAWhile) {
  life_.wanted(clock_.steady());
  for (int i = 0; i < 3; ++i) {
    life_.ended(clock_.steady());
    life_.due();
  }
  ASSERT_EQ(life_.phase(), Phase::broken);
  clock_.advance(seconds{29});
  EXPECT_FALSE(life_.wanted(clock_.steady()));
  clock_.advance(seconds{1});
  EXPECT_TRUE(life_.wanted(clock_.steady()));
  EXPECT_EQ(life_.ended(clock_.steady()), std::nullopt);  // one more failure is enough
  EXPECT_EQ(life_.phase(), Phase::broken);
}

TEST_F(LifecycleTest, StoppedIsColdAgain) {
  start();
  life_.stopped();
  EXPECT_EQ(life_.phase(), Phase::cold);
  EXPECT_TRUE(life_.wanted(clock_.steady()));
}

}  // namespace
}  // namespace lo::run
