// kill -9 of a process that commits.
#include <gmock/gmock.h>

#include <random>

#include "base/testing/temporary_folder.h"
#include "catalog/crash_child.h"
#include "catalog/sqlite/sqlite_catalog.h"

namespace lo::catalog {
namespace {

using ::testing::ElementsAreArray;

TEST(CatalogCrashTest, AcknowledgedCommitsOutliveKill9AndNoBatchIsHalf) {
  if (const auto* place = child_place()) commit_until_killed(*open_sqlite_catalog(place).value());
  constexpr int kRounds = 12;
  TemporaryFolder folder;
  auto file = folder.path() / "catalog.sqlite";
  std::mt19937 random(33);
  std::uniform_int_distribution<int> how_many(1, 400);
  std::vector<std::string> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    auto child = spawn(file);
    auto kill_at = how_many(random);
    for (int count = 1; auto report = child.next(); ++count) {
      acknowledged.push_back(std::to_string(report->first) + "-" + std::to_string(report->second));
      if (count == kill_at) ::kill(child.pid, SIGKILL);
    }
    EXPECT_TRUE(WIFSIGNALED(child.wait()));
    auto stored = stored_whole(*open_sqlite_catalog(file).value());
    for (const auto& name : acknowledged) EXPECT_TRUE(stored.contains(name)) << name << " after round " << round;
  }
}

struct FaultCase {
  std::string rule;
  std::vector<int> acknowledged;  // of four commits, 0 to 3
  std::vector<int> stored;
  bool killed = true;
};

class CatalogFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(CatalogFaultTest, StoresWhatItAcknowledged) {
  if (const auto* place = child_place()) commit_one_by_one(*open_sqlite_catalog(place).value(), 4);
  TemporaryFolder folder;
  auto file = folder.path() / "catalog.sqlite";
  auto child = spawn(file, GetParam().rule);
  std::vector<int> acknowledged;
  while (auto report = child.next()) acknowledged.push_back(report->second);
  EXPECT_EQ(WIFSIGNALED(child.wait()), GetParam().killed);
  EXPECT_THAT(acknowledged, ElementsAreArray(GetParam().acknowledged));
  std::vector<std::string> expected;
  for (auto number : GetParam().stored) expected.push_back(std::to_string(child.pid) + "-" + std::to_string(number));
  EXPECT_THAT(stored_whole(*open_sqlite_catalog(file).value()), ElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(Points, CatalogFaultTest,
                         ::testing::Values(FaultCase{"catalog.commit.before=abort@3", {0, 1}, {0, 1}},
                                           FaultCase{"catalog.commit.between=abort@3", {0, 1}, {0, 1}},
                                           FaultCase{"catalog.commit.after=abort@3", {0, 1}, {0, 1, 2}},
                                           FaultCase{"catalog.commit.before=error@2", {0, 2, 3}, {0, 2, 3}, false},
                                           FaultCase{"catalog.commit.between=error@2", {0, 2, 3}, {0, 2, 3}, false},
                                           FaultCase{"catalog.commit.after=error@2", {0, 2, 3}, {0, 1, 2, 3}, false}));

}  // namespace
}  // namespace lo::catalog
