#include "catalog/sqlite/step_order.h"

#include <gtest/gtest.h>

#include "catalog/testing.h"

namespace lo::catalog::sqlite {
namespace {

class StepOrderTest : public ::testing::Test {
 protected:
  std::optional<StepId> at(std::string_view service, std::int64_t skip) { return order_.at(service, skip, read_all_).value(); }

  // Three steps, by service.
  Status read(const StepOrder::Visit& visit) {
    ++reads_;
    visit("dataset/csv", 20);
    visit("function/python", 10);
    if (meanwhile_) meanwhile_();
    visit("function/python", 30);
    return {};
  }

  StepOrder order_;
  int reads_ = 0;
  std::function<void()> meanwhile_;
  StepOrder::ReadAll read_all_ = [this](const StepOrder::Visit& visit) { return read(visit); };
};

TEST_F(StepOrderTest, CountsAllAndThoseOfAServiceAndReadsThemOnce) {
  EXPECT_EQ(at("", 0), 10);
  EXPECT_EQ(at("", 2), 30);
  EXPECT_EQ(at("", 3), std::nullopt);
  EXPECT_EQ(at("function/python", 1), 30);
  EXPECT_EQ(at("dataset/csv", 0), 20);
  EXPECT_EQ(at("dataset/csv", 1), std::nullopt);
  EXPECT_EQ(at("model/scikitlearn", 0), std::nullopt);
  EXPECT_EQ(reads_, 1);
}

TEST_F(StepOrderTest, FollowsCommits) {
  EXPECT_EQ(at("", 0), 10);
  order_.changed({{.id = 25, .service = "dataset/csv"}, {.id = 10}});
  EXPECT_EQ(at("", 1), 25);
  EXPECT_EQ(at("", 2), 30);
  EXPECT_EQ(at("dataset/csv", 1), 25);
  EXPECT_EQ(at("function/python", 0), 30);
}

TEST_F(StepOrderTest, ChangesWhileItReadsCountWhetherTheyWereReadOrNot) {
  meanwhile_ = [this] { order_.changed({{.id = 30, .service = "function/python"}, {.id = 40, .service = "function/python"}, {.id = 20}}); };
  EXPECT_EQ(at("", 1), 30);
  EXPECT_EQ(at("", 2), 40);
  EXPECT_EQ(at("", 3), std::nullopt);
  EXPECT_EQ(at("dataset/csv", 0), std::nullopt);
}

TEST_F(StepOrderTest, ReadsAgainAfterAnError) {
  auto fails = [](const StepOrder::Visit&) -> Status { return fail(Code::io, "the disk is gone"); };
  EXPECT_EQ(order_.at("", 0, fails).error().code, Code::io);
  EXPECT_EQ(at("", 0), 10);
}

TEST_F(StepOrderTest, ABatchsChangesAreItsStepsAlone) {
  Batch batch{AddStep{make_step(1, "a")}, AddRevision{make_revision({1, 1})}, RemoveStep{2}};
  std::vector<StepChange> wanted{{.id = 1, .service = make_step(1, "a").service}, {.id = 2}};
  EXPECT_EQ(step_changes(batch), wanted);
}

}  // namespace
}  // namespace lo::catalog::sqlite
