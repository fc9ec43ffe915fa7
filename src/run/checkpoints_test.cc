#include "run/checkpoints.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

engine::JobRequest job(catalog::StepId step, json::object request) {
  engine::JobRequest made;
  made.members.push_back({.key = {step, 1}, .name = "a", .operation = "train/tensorflow", .request = std::move(request)});
  return made;
}

TEST(Checkpoints, AreForWhoAsksAndOutliveTheAttempt) {
  TemporaryFolder data;
  auto first = make_checkpoint(data.path(), job(1, {{"checkpoint", true}}));
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(make_checkpoint(data.path(), job(1, {{"checkpoint", true}})).value(), **first);
  EXPECT_FALSE(make_checkpoint(data.path(), job(2, {{"checkpoint", false}})).value());
  EXPECT_FALSE(make_checkpoint(data.path(), job(2, {})).value());
}

TEST(Checkpoints, GoWithTheirRevision) {
  TemporaryFolder data;
  auto first = *make_checkpoint(data.path(), job(1, {{"checkpoint", true}})).value();
  auto second = *make_checkpoint(data.path(), job(2, {{"checkpoint", true}})).value();
  auto third = *make_checkpoint(data.path(), job(3, {{"checkpoint", true}})).value();
  remove_checkpoint(data.path(), {1, 1});
  EXPECT_FALSE(fs::exists(first));
  EXPECT_EQ(remove_checkpoints_but(data.path(), {{2, 1}}), 1);
  EXPECT_TRUE(fs::exists(second));
  EXPECT_FALSE(fs::exists(third));
  remove_checkpoint(data.path(), {9, 9});
}

}  // namespace
}  // namespace lo::run
