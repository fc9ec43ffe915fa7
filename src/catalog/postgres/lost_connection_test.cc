// Connections that are cut, at every moment of a commit.
#include <gmock/gmock.h>

#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/testing/database.h"
#include "catalog/postgres/testing/proxy.h"
#include "catalog/testing.h"

namespace lo::catalog {
namespace {

using postgres::Database;
using postgres::PrivateServer;
using postgres::Proxy;
using ::testing::ElementsAre;

class PostgresLostConnectionTest : public ::testing::Test {
 protected:
  PostgresLostConnectionTest() { open(); }

  void open(PostgresOptions options = {}) {
    catalog_.reset();
    catalog_ = open_postgres_catalog(proxy_.url(database_.name()), options).value();
    catalog_->on_events([this](std::span<const Event> events) {
      for (const auto& event : events) heard_.push_back(event.seq);
    });
  }

  // Adds a step with an event.
  Batch batch(const std::string& name) { return {AddStep{make_step(catalog_->next_step_id(), name)}, AddEvent{make_event(name, "accepted")}}; }

  std::vector<Batch> batches(std::initializer_list<const char*> names) {
    std::vector<Batch> out;
    for (const auto* name : names) out.push_back(batch(name));
    return out;
  }

  std::vector<std::string> stored() {
    std::vector<std::string> names;
    auto steps = catalog_->all_steps().value();
    for (const auto& step : steps) names.push_back(step.name);
    return names;
  }

  // What was heard is what is there: each event once, numbered in order.
  void check_events(std::size_t count) {
    auto events = catalog_->events_after(0, {}, 1000).value();
    ASSERT_EQ(events.size(), count);
    ASSERT_EQ(heard_.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(events[i].seq, static_cast<std::int64_t>(i) + 1);
      EXPECT_EQ(heard_[i], events[i].seq);
    }
  }

  Database database_;
  Proxy proxy_{PrivateServer::shared().socket()};
  std::vector<std::int64_t> heard_;
  std::unique_ptr<Catalog> catalog_;  // goes first
};

struct CutCase {
  std::string name;
  std::string text;
  Proxy::Moment moment;
};

class PostgresCutTest : public PostgresLostConnectionTest, public ::testing::WithParamInterface<CutCase> {};

TEST_P(PostgresCutTest, NothingIsLostAndNothingDoubled) {
  ASSERT_TRUE(commit(*catalog_, batch("first")));
  proxy_.cut(GetParam().text, GetParam().moment);
  EXPECT_THAT(ok(commit_together(*catalog_, batches({"second", "first", "third"}))), ElementsAre(true, false, true));
  EXPECT_TRUE(proxy_.has_cut());
  EXPECT_TRUE(commit(*catalog_, batch("last")));
  EXPECT_THAT(stored(), ElementsAre("first", "second", "third", "last"));
  check_events(4);
}

TEST_P(PostgresCutTest, SingleCommitIsThereOnce) {
  ASSERT_TRUE(commit(*catalog_, batch("first")));
  proxy_.cut(GetParam().text, GetParam().moment);
  EXPECT_TRUE(commit(*catalog_, batch("second")));
  EXPECT_TRUE(proxy_.has_cut());
  EXPECT_THAT(stored(), ElementsAre("first", "second"));
  check_events(2);
}

INSTANTIATE_TEST_SUITE_P(Moments, PostgresCutTest,
                         ::testing::Values(CutCase{"BeforeBegin", "BEGIN", Proxy::Moment::before_sending},
                                           CutCase{"AfterBegin", "BEGIN", Proxy::Moment::after_sending},
                                           CutCase{"AfterTheChanges", "BEGIN", Proxy::Moment::after_answer},
                                           CutCase{"BeforeCommit", "COMMIT", Proxy::Moment::before_sending},
                                           CutCase{"AfterCommit", "COMMIT", Proxy::Moment::after_sending},
                                           CutCase{"AfterTheAnswerToCommit", "COMMIT", Proxy::Moment::after_answer}),
                         [](const auto& each) { return each.param.name; });

TEST_F(PostgresLostConnectionTest, ConnectionThatWentWhileNobodyWroteIsTakenUpAgain) {
  ASSERT_TRUE(commit(*catalog_, batch("first")));
  database_.end_all();
  EXPECT_TRUE(commit(*catalog_, batch("second")));
  EXPECT_THAT(stored(), ElementsAre("first", "second"));
  check_events(2);
}

TEST_F(PostgresLostConnectionTest, ReadIsDoneAgainOnAFreshConnection) {
  ASSERT_TRUE(commit(*catalog_, batch("first")));
  for (int i = 0; i < 5; ++i) {
    database_.end_all();
    EXPECT_TRUE(catalog_->find_step("first").value());
  }
}

TEST_F(PostgresLostConnectionTest, WithoutADatabaseCommitsAndReadsFailAndComeBackWithIt) {
  open({.patience = std::chrono::milliseconds(50), .read_patience = std::chrono::milliseconds(50)});
  ASSERT_TRUE(commit(*catalog_, batch("first")));
  proxy_.refuse();
  auto status = commit(*catalog_, batch("lost"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::unavailable);
  EXPECT_EQ(status.error().message, "the catalog's database is not there now: try again");  // where that is concerns no client
  EXPECT_EQ(catalog_->find_step("first").error().code, Code::unavailable);
  proxy_.accept_again();
  EXPECT_TRUE(commit(*catalog_, batch("second")));
  EXPECT_THAT(stored(), ElementsAre("first", "second"));
  check_events(2);
}

// The patience of a commit is over long before the database comes back, but its outcome is not known.
TEST_F(PostgresLostConnectionTest, OutcomeOfACommitIsWaitedForUntilItIsKnown) {
  open({.patience = std::chrono::milliseconds(1), .read_patience = std::chrono::milliseconds(1)});
  ASSERT_TRUE(commit(*catalog_, batch("first")));
  proxy_.cut_and_refuse("COMMIT", Proxy::Moment::after_answer, 4);
  EXPECT_TRUE(commit(*catalog_, batch("second")));
  EXPECT_TRUE(proxy_.has_cut());
  EXPECT_THAT(stored(), ElementsAre("first", "second"));
  check_events(2);
}

TEST_F(PostgresLostConnectionTest, WhatWasNotSentToBeCommittedIsGivenUpAfterItsPatience) {
  open({.patience = std::chrono::milliseconds(1), .read_patience = std::chrono::milliseconds(1)});
  proxy_.cut_and_refuse("BEGIN", Proxy::Moment::after_answer, 4);
  EXPECT_EQ(commit(*catalog_, batch("first")).error().code, Code::unavailable);
  EXPECT_EQ(database_.connect().number("SELECT count(*) FROM step").value(), 0);
}

}  // namespace
}  // namespace lo::catalog
