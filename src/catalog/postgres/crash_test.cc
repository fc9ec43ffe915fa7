// kill -9 of a process that commits, and of the PostgreSQL that it commits to.
#include <gmock/gmock.h>

#include <random>

#include "catalog/crash_child.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/testing/database.h"

namespace lo::catalog {
namespace {

using postgres::Database;
using postgres::PrivateServer;
using ::testing::ElementsAreArray;

std::unique_ptr<Catalog> open(const std::string& url) { return open_postgres_catalog(url).value(); }

std::string name_of(std::pair<pid_t, int> report) { return std::to_string(report.first) + "-" + std::to_string(report.second); }

TEST(PostgresCrashTest, AcknowledgedCommitsOutliveKill9OfTheServerAndNoBatchIsHalf) {
  if (const auto* place = child_place()) commit_until_killed(*open(place));
  constexpr int kRounds = 5;
  Database database;
  std::mt19937 random(33);
  std::uniform_int_distribution<int> how_many(1, 200);
  std::vector<std::string> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    auto child = spawn(database.url());
    auto kill_at = how_many(random);
    for (int count = 1; auto report = child.next(); ++count) {
      acknowledged.push_back(name_of(*report));
      if (count == kill_at) ::kill(child.pid, SIGKILL);
    }
    EXPECT_TRUE(WIFSIGNALED(child.wait()));
    auto stored = stored_whole(*open(database.url()));
    for (const auto& name : acknowledged) EXPECT_TRUE(stored.contains(name)) << name << " after round " << round;
  }
}

// The child goes on through it all: it ends itself when a commit fails.
TEST(PostgresCrashTest, AcknowledgedCommitsOutliveKill9OfPostgresqlAndNoneIsDoubled) {
  if (const auto* place = child_place()) commit_until_killed(*open(place));
  constexpr int kRounds = 3;
  PrivateServer server;
  Database database(server);
  std::mt19937 random(34);
  std::uniform_int_distribution<int> how_many(50, 300);
  std::set<std::string> acknowledged;
  auto child = spawn(database.url());
  auto listen_to = [&](int reports) {
    for (int i = 0; i < reports; ++i) {
      auto report = child.next();
      ASSERT_TRUE(report) << "the child has ended";
      EXPECT_TRUE(acknowledged.insert(name_of(*report)).second) << "acknowledged twice";
    }
  };
  for (int round = 0; round < kRounds; ++round) {
    listen_to(how_many(random));
    server.kill();
    server.start();
    listen_to(50);
  }
  ::kill(child.pid, SIGKILL);
  while (auto report = child.next()) acknowledged.insert(name_of(*report));
  EXPECT_TRUE(WIFSIGNALED(child.wait()));
  auto stored = stored_whole(*open(database.url()));
  for (const auto& name : acknowledged) EXPECT_TRUE(stored.contains(name)) << name;
}

struct FaultCase {
  std::string rule;
  std::vector<int> acknowledged;  // of four commits, 0 to 3
  std::vector<int> stored;
  bool killed = true;
};

class PostgresFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(PostgresFaultTest, StoresWhatItAcknowledged) {
  if (const auto* place = child_place()) commit_one_by_one(*open(place), 4);
  Database database;
  auto child = spawn(database.url(), GetParam().rule);
  std::vector<int> acknowledged;
  while (auto report = child.next()) acknowledged.push_back(report->second);
  EXPECT_EQ(WIFSIGNALED(child.wait()), GetParam().killed);
  EXPECT_THAT(acknowledged, ElementsAreArray(GetParam().acknowledged));
  std::vector<std::string> expected;
  for (auto number : GetParam().stored) expected.push_back(name_of({child.pid, number}));
  EXPECT_THAT(stored_whole(*open(database.url())), ElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(Points, PostgresFaultTest,
                         ::testing::Values(FaultCase{"catalog.commit.before=abort@3", {0, 1}, {0, 1}},
                                           FaultCase{"catalog.commit.between=abort@3", {0, 1}, {0, 1}},
                                           FaultCase{"catalog.commit.after=abort@3", {0, 1}, {0, 1, 2}},
                                           FaultCase{"catalog.commit.before=error@2", {0, 2, 3}, {0, 2, 3}, false},
                                           FaultCase{"catalog.commit.between=error@2", {0, 2, 3}, {0, 2, 3}, false},
                                           FaultCase{"catalog.commit.after=error@2", {0, 2, 3}, {0, 1, 2, 3}, false}));

}  // namespace
}  // namespace lo::catalog
