#include "base/fault.h"

#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>
#include <set>

namespace lo {
namespace {

using Action = FaultPlan::Action;
using ::testing::HasSubstr;

TEST(FaultPlanTest, ActsOnTheNthPassOfItsPointOnly) {
  FaultPlan plan;
  ASSERT_TRUE(plan.add("catalog.commit.before=error@2,store.publish.after=abort"));
  EXPECT_EQ(plan.pass("catalog.commit.before"), Action::none);
  EXPECT_EQ(plan.pass("catalog.commit.after"), Action::none);
  EXPECT_EQ(plan.pass("catalog.commit.before"), Action::error);
  EXPECT_EQ(plan.pass("catalog.commit.before"), Action::none);
  EXPECT_EQ(plan.pass("store.publish.after"), Action::abort);
}

TEST(FaultPlanTest, SeveralRulesOfOnePointCountTogether) {
  FaultPlan plan;
  ASSERT_TRUE(plan.add("upload.received=error@1,upload.received=error@2"));
  EXPECT_EQ(plan.pass("upload.received"), Action::error);
  EXPECT_EQ(plan.pass("upload.received"), Action::error);
  EXPECT_EQ(plan.pass("upload.received"), Action::none);
}

TEST(FaultPlanTest, RefusesRulesThatCannotBeMeant) {
  for (const auto* rule : {"upload.recieved=abort", "upload.received", "upload.received=explode", "upload.received=abort@0",
                           "upload.received=abort@x", "upload.received=abort@2x", "=abort"}) {
    FaultPlan plan;
    auto status = plan.add(rule);
    ASSERT_FALSE(status) << rule;
    EXPECT_EQ(status.error().code, Code::malformed);
    EXPECT_TRUE(plan.empty());
  }
}

TEST(FaultPlanTest, NothingIsAskedForByNoRule) {
  FaultPlan plan;
  EXPECT_TRUE(plan.add(""));
  EXPECT_TRUE(plan.empty());
}

TEST(FaultNamesTest, AreAllDifferent) {
  EXPECT_EQ(std::set(fault_names().begin(), fault_names().end()).size(), fault_names().size());
}

// Each of these runs in a process of its own, which reads the environment anew.
class FaultPointDeathTest : public ::testing::Test {
 protected:
  FaultPointDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void with_faults(const char* rules) { ::setenv("ORCHESTRA_FAULTS", rules, 1); }
};

TEST_F(FaultPointDeathTest, AbortIsKill9) {
  EXPECT_EXIT(
      {
        with_faults("store.publish.between=abort@2");
        if (fault_point("store.publish.between")) (void)fault_point("store.publish.between");
        std::exit(0);
      },
      ::testing::KilledBySignal(SIGKILL), "");
}

TEST_F(FaultPointDeathTest, ErrorNamesThePoint) {
  EXPECT_EXIT(
      {
        with_faults("store.publish.between=error");
        auto status = fault_point("store.publish.between");
        std::fputs(status ? "none" : status.error().message.c_str(), stderr);
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "injected fault at store.publish.between");
}

TEST_F(FaultPointDeathTest, MisspeltRuleIsNotPassedOver) {
  EXPECT_EXIT(
      {
        with_faults("store.publish.betwen=abort");
        (void)fault_point("store.publish.between");
      },
      ::testing::KilledBySignal(SIGABRT), "no fault point \"store.publish.betwen\"");
}

TEST_F(FaultPointDeathTest, UnlistedPointIsADefect) {
  EXPECT_EXIT(
      {
        with_faults("upload.received=abort");
        (void)fault_point("upload.recieved");
      },
      ::testing::KilledBySignal(SIGABRT), "\"upload.recieved\" is passed but not listed");
}

}  // namespace
}  // namespace lo
