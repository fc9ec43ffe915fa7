#include "catalog/postgres/copy.h"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include "base/testing/temporary_folder.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/testing/database.h"
#include "catalog/sqlite/connection.h"
#include "catalog/sqlite/copy.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "catalog/testing.h"

namespace lo::catalog::postgres {
namespace {

using ::testing::HasSubstr;

constexpr int kMany = contents::kAtOnce + 3;

// What a catalog gives, by kinds.
struct Everything {
  std::vector<Step> steps;
  std::vector<Revision> revisions;
  std::vector<Attempt> attempts;
  std::vector<Event> events;
  std::vector<Subscription> subscriptions;
  std::vector<Workflow> workflows;
  std::vector<Receipt> receipts;
  bool operator==(const Everything&) const = default;

  Status take(Part part) {
    for (auto& change : part.changes) {
      if (auto* step = std::get_if<AddStep>(&change)) steps.push_back(step->step);
      if (auto* revision = std::get_if<AddRevision>(&change)) revisions.push_back(revision->revision);
      if (auto* attempt = std::get_if<PutAttempt>(&change)) attempts.push_back(attempt->attempt);
      if (auto* event = std::get_if<AddEvent>(&change)) events.push_back(event->event);
      if (auto* subscription = std::get_if<PutSubscription>(&change)) subscriptions.push_back(subscription->subscription);
      if (auto* workflow = std::get_if<PutWorkflow>(&change)) workflows.push_back(workflow->workflow);
      if (auto* receipt = std::get_if<PutReceipt>(&change)) receipts.push_back(receipt->receipt);
    }
    return {};
  }
};

class PostgresCopyTest : public ::testing::Test {
 protected:
  std::filesystem::path file(const std::string& name) { return folder_.path() / name; }
  GiveContents from_file(const std::string& name) {
    return [this, name](const TakePart& take) { return give_sqlite_contents(file(name), take); };
  }
  GiveContents from_postgres() {
    return [this](const TakePart& take) { return give_postgres_contents(database_.url(), take); };
  }
  static Everything all_of(const GiveContents& give) {
    Everything everything;
    auto boots = give([&](Part part) { return everything.take(std::move(part)); });
    EXPECT_TRUE(boots) << boots.error().message << " " << boots.error().internal;
    return everything;
  }

  // Some of all that there is, and gaps among the events.
  void make_source() {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(open_sqlite_catalog(file("source")));
    auto catalog = open_sqlite_catalog(file("source")).value();
    Batch batch;
    for (auto name : {"first", "gone", "last"}) {
      auto step = make_step(catalog->next_step_id(), name);
      step.labels = {{"team", "blü"}, {"n", 1}};
      batch.emplace_back(AddStep{step});
      batch.emplace_back(AddRevision{make_full_revision({step.id, 1}, name)});
      auto open = make_revision({step.id, 2}, State::scheduled);
      open.name = name;
      batch.emplace_back(AddRevision{open});
      batch.emplace_back(PutAttempt{make_attempt({step.id, 1}, 1)});
      if (std::string_view(name) == "gone") gone_ = step.id;
    }
    for (int i = 0; i < kMany; ++i) {
      batch.emplace_back(AddEvent{make_event("first", "running")});
      batch.emplace_back(PutReceipt{{.key = fmt::format("key {}\xff", i), .request = "digest", .answer = {{"text", std::string("\0", 1)}}, .created = {}}});
      batch.emplace_back(PutWorkflow{{.name = fmt::format("flow_{}", i), .created = {}, .changed = {}, .steps = {"first"}, .document = {{"i", i}}}});
    }
    batch.emplace_back(PutSubscription{{.name = "first", .created = {}, .options = {{"a", 1}}}});
    ASSERT_TRUE(commit(*catalog, std::move(batch)));
    ASSERT_TRUE(commit(*catalog, {RemoveStep{gone_}, AddEvent{make_event("gone", "deleted")}}));
    catalog.reset();
    auto connection = sqlite::Connection::open(file("source"), sqlite::Connection::Access::read_write).value();
    ASSERT_TRUE(connection.execute("DELETE FROM event WHERE seq IN (1, 7, 8, 500)"));
  }

  TemporaryFolder folder_;
  Database database_;
  StepId gone_ = 0;
};

TEST_F(PostgresCopyTest, ThereAndBackIsTheSame) {
  make_source();
  auto source = all_of(from_file("source"));
  ASSERT_EQ(source.steps.size(), 2U);
  ASSERT_EQ(source.events.size(), static_cast<std::size_t>(kMany + 1 - 4));
  ASSERT_EQ(source.receipts.size(), static_cast<std::size_t>(kMany));
  ASSERT_TRUE(fill_postgres_catalog(database_.url(), from_file("source")));
  EXPECT_TRUE(all_of(from_postgres()) == source);
  ASSERT_TRUE(make_sqlite_catalog(file("back"), from_postgres()));
  EXPECT_TRUE(all_of(from_file("back")) == source);
}

TEST_F(PostgresCopyTest, IdsAndEventsGoOnWhereTheyWere) {
  make_source();
  ASSERT_TRUE(fill_postgres_catalog(database_.url(), from_file("source")));
  auto last = all_of(from_file("source")).events.back().seq;
  {
    auto catalog = open_postgres_catalog(database_.url()).value();
    EXPECT_GT(catalog->next_step_id(), gone_ + 100);
    ASSERT_TRUE(commit(*catalog, {AddEvent{make_event("first", "finished")}}));
    EXPECT_EQ(catalog->last_event().value(), last + 1);
  }
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(open_postgres_catalog(database_.url()));  // its boots go beyond the file's
  auto newest = open_postgres_catalog(database_.url()).value()->next_step_id();
  ASSERT_TRUE(make_sqlite_catalog(file("back"), from_postgres()));
  EXPECT_GT(open_sqlite_catalog(file("back")).value()->next_step_id(), newest);
}

TEST_F(PostgresCopyTest, WhatHoldsSomethingIsNotFilled) {
  make_source();
  EXPECT_TRUE(is_empty_postgres_catalog(database_.url()).value());
  ASSERT_TRUE(fill_postgres_catalog(database_.url(), from_file("source")));
  EXPECT_FALSE(is_empty_postgres_catalog(database_.url()).value());
  auto again = fill_postgres_catalog(database_.url(), from_file("source"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_THAT(again.error().message, HasSubstr("holds something already"));
}

TEST_F(PostgresCopyTest, CopyThatBreaksOffLeavesNothing) {
  make_source();
  auto broken = fill_postgres_catalog(database_.url(), [&](const TakePart& take) -> Result<std::int64_t> {
    LO_TRY(give_sqlite_contents(file("source"), take));
    return fail(Code::io, "broken off");
  });
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().message, "broken off");
  EXPECT_TRUE(is_empty_postgres_catalog(database_.url()).value());
}

TEST_F(PostgresCopyTest, OneThatAServerHasIsNotTouched) {
  make_source();
  auto server = open_postgres_catalog(database_.url()).value();
  auto filled = fill_postgres_catalog(database_.url(), from_file("source"), std::chrono::milliseconds{100});
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().code, Code::conflict);
}

}  // namespace
}  // namespace lo::catalog::postgres
