#include "catalog/sqlite/group_commit.h"

#include <gmock/gmock.h>

#include "catalog/sqlite/schema.h"
#include "base/testing/temporary_folder.h"
#include "catalog/testing.h"

namespace lo::catalog::sqlite {
namespace {

using ::testing::ElementsAre;

class GroupCommitTest : public ::testing::Test {
 protected:
  GroupCommitTest() { EXPECT_TRUE(group_.prepare()); }

  Connection connect() { return Connection::open(file_, Connection::Access::read_write).value(); }

  Connection make_schema() {
    auto connection = connect();
    EXPECT_TRUE(connection.execute("PRAGMA foreign_keys = ON"));
    EXPECT_TRUE(migrate(connection, migrations(), file_));
    // Stands for a full disk: SQLite refuses to make the file longer.
    auto pages = connection.number("PRAGMA page_count").value() + 20;
    EXPECT_TRUE(connection.execute("PRAGMA max_page_count = " + std::to_string(pages)));
    return connection;
  }

  // Adds a step with an event, `bytes` long.
  void order(StepId id, std::size_t bytes = 10) {
    auto event = make_event("step", "accepted");
    event.data["text"] = std::string(bytes, 'x');
    orders_.emplace_back(CommitOrder{.batch = {AddEvent{event}, AddStep{make_step(id, "step-" + std::to_string(id))}},
                                     .done = [this](Status status) { told_.push_back(std::move(status)); }});
  }

  std::vector<Code> work_off() {
    told_.clear();
    group_.work_off(std::exchange(orders_, {}));
    std::vector<Code> codes;
    for (const auto& status : told_) codes.push_back(status ? kGood : status.error().code);
    return codes;
  }

  std::int64_t stored() { return connect().number("SELECT count(*) FROM step").value(); }

  static constexpr Code kGood = Code{-1};
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "catalog.sqlite";
  GroupCommit group_{make_schema()};
  std::vector<Order> orders_;
  std::vector<Status> told_;
};

TEST_F(GroupCommitTest, BatchThatDoesNotFitFailsWithNoSpace) {
  order(1);
  EXPECT_THAT(work_off(), ElementsAre(kGood));
  order(2, 1U << 20U);
  EXPECT_THAT(work_off(), ElementsAre(Code::no_space));
  order(3);
  EXPECT_THAT(work_off(), ElementsAre(kGood));
  EXPECT_EQ(stored(), 2);
}

TEST_F(GroupCommitTest, WhatIsToldIsWhatIsStoredWhenTheDiskFillsInAGroup) {
  order(1);
  order(2, 1U << 20U);
  order(3);
  auto codes = work_off();
  ASSERT_EQ(codes.size(), 3U);
  EXPECT_EQ(codes[1], Code::no_space);
  EXPECT_EQ(stored(), std::ranges::count(codes, kGood));
}

TEST_F(GroupCommitTest, NumberingOfEventsGoesOnAfterAFailure) {
  std::vector<std::int64_t> heard;
  group_.listen([&](std::span<const Event> events) {
    for (const auto& event : events) heard.push_back(event.seq);
  });
  order(1);
  work_off();
  order(2, 1U << 20U);
  work_off();
  order(3);
  work_off();
  EXPECT_THAT(heard, ElementsAre(1, 2));
}

// Without a write-ahead log, a reader makes the very COMMIT fail.
TEST_F(GroupCommitTest, CommitThatFailsIsToldToAllAndLeavesNothing) {
  std::vector<std::int64_t> heard;
  group_.listen([&](std::span<const Event> events) {
    for (const auto& event : events) heard.push_back(event.seq);
  });
  auto reader = connect();
  ASSERT_TRUE(reader.execute("BEGIN; SELECT count(*) FROM step"));
  order(1);
  order(2);
  EXPECT_THAT(work_off(), ElementsAre(Code::unavailable, Code::unavailable));
  ASSERT_TRUE(reader.execute("ROLLBACK"));
  EXPECT_EQ(stored(), 0);
  order(3);
  EXPECT_THAT(work_off(), ElementsAre(kGood));
  EXPECT_THAT(heard, ElementsAre(1));
}

TEST_F(GroupCommitTest, OneGroupIsOneTransaction) {
  auto watcher = connect();
  auto version = watcher.number("PRAGMA data_version").value();
  for (StepId id = 1; id <= 5; ++id) order(id);
  EXPECT_THAT(work_off(), ElementsAre(kGood, kGood, kGood, kGood, kGood));
  EXPECT_EQ(watcher.number("PRAGMA data_version").value(), version + 1);
}

TEST_F(GroupCommitTest, LockOfAnotherProgramIsUnavailableAndPasses) {
  auto other = connect();
  ASSERT_TRUE(other.execute("BEGIN EXCLUSIVE"));
  order(1);
  EXPECT_THAT(work_off(), ElementsAre(Code::unavailable));
  ASSERT_TRUE(other.execute("ROLLBACK"));
  order(2);
  EXPECT_THAT(work_off(), ElementsAre(kGood));
  EXPECT_EQ(stored(), 1);
}

}  // namespace
}  // namespace lo::catalog::sqlite
