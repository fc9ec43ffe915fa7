// Who may write: one server at a time, and none that was overtaken.
#include <gmock/gmock.h>

#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/session.h"
#include "catalog/postgres/testing/database.h"
#include "catalog/postgres/testing/proxy.h"
#include "catalog/testing.h"

namespace lo::catalog {
namespace {

using postgres::Database;
using postgres::PrivateServer;
using postgres::Proxy;
using ::testing::HasSubstr;

constexpr PostgresOptions kImpatient{.patience = std::chrono::milliseconds(50),
                                     .read_patience = std::chrono::milliseconds(50),
                                     .owner_patience = std::chrono::milliseconds(50)};

class PostgresOwnerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Catalog> open() { return open_postgres_catalog(database_.url(), kImpatient).value(); }
  static Status add(Catalog& catalog, const std::string& name) { return commit(catalog, {AddStep{make_step(catalog.next_step_id(), name)}}); }

  // The process of PostgreSQL's that has the lock of the catalog; 0 when none has.
  static std::int64_t holder_of(postgres::Connection& connection) {
    return connection.number("SELECT coalesce(max(pid), 0)::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                             "database = (SELECT oid FROM pg_database WHERE datname = current_database())").value();
  }

  Database database_;
};

TEST_F(PostgresOwnerTest, SecondOpenerIsAConflictThatSaysSo) {
  auto first = open();
  auto second = open_postgres_catalog(database_.url(), kImpatient);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().message, HasSubstr("another server holds the catalog (--catalog)"));
  EXPECT_TRUE(add(*first, "a"));
  first.reset();
  EXPECT_TRUE(add(*open(), "b"));
}

TEST_F(PostgresOwnerTest, CatalogsOfTwoSchemasDoNotMeet) {
  auto connection = database_.connect();
  ASSERT_TRUE(connection.execute("CREATE SCHEMA other"));
  auto first = open();
  auto second = open_postgres_catalog(database_.url() + "&options=-csearch_path%3Dother", kImpatient);
  ASSERT_TRUE(second);
  EXPECT_TRUE(add(*first, "a"));
  EXPECT_TRUE(add(**second, "a"));
}

TEST_F(PostgresOwnerTest, ServerThatWasOvertakenCommitsNothingMore) {
  auto first = open();
  ASSERT_TRUE(add(*first, "a"));
  database_.end_writer();
  auto second = open();
  for (const auto* name : {"b", "c"}) {
    auto status = add(*first, name);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::unavailable);
    EXPECT_THAT(status.error().message, HasSubstr("another server has taken over the catalog"));
  }
  EXPECT_TRUE(add(*second, "b"));
  EXPECT_FALSE(second->find_step("c").value());
}

// The lock is only a courtesy: here the first one still has its own connection, and believes in it.
TEST_F(PostgresOwnerTest, EpochOfAnotherEndsTheRightToWriteAlsoOnAConnectionThatWorks) {
  auto first = open();
  ASSERT_TRUE(add(*first, "a"));
  ASSERT_TRUE(database_.connect().execute("UPDATE owner SET epoch_before = epoch, groups_before = groups, epoch = epoch + 1, groups = 0"));
  auto statuses = commit_together(*first, {{AddStep{make_step(first->next_step_id(), "b")}}, {AddStep{make_step(first->next_step_id(), "c")}}});
  for (const auto& status : statuses) {
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message, HasSubstr("another server has taken over the catalog"));
  }
  EXPECT_FALSE(first->find_step("b").value());
}

// COMMIT was executed, its answer lost, and then another server came: what is there is told as done.
TEST_F(PostgresOwnerTest, OutcomeIsKnownAlsoToAServerThatWasOvertakenMeanwhile) {
  auto session = postgres::Session::open(database_.url(), std::chrono::milliseconds(50)).value();
  auto write = [&](std::int64_t number, const char* end) {
    std::vector<postgres::Command> commands{{.sql = "BEGIN"}, session.note_group(number), {.sql = end}};
    return session.connection().run_together(commands);
  };
  ASSERT_TRUE(write(1, "COMMIT"));
  ASSERT_TRUE(write(2, "ROLLBACK"));
  database_.end_writer();
  {
    auto second = open();
    ASSERT_TRUE(add(*second, "theirs"));
  }
  EXPECT_FALSE(session.regain());
  EXPECT_TRUE(session.is_overtaken());
  EXPECT_EQ(session.is_committed(1), true);
  EXPECT_EQ(session.is_committed(2), false);
  open();
  EXPECT_FALSE(session.regain());
  EXPECT_EQ(session.is_committed(1), std::nullopt);  // two have come: nobody can say
}

// The server's end of a connection that the client has given up may live on, and hold the lock.
TEST_F(PostgresOwnerTest, RemainsOfTheOwnConnectionAreEnded) {
  Proxy proxy(PrivateServer::shared().socket());
  auto catalog = open_postgres_catalog(proxy.url(database_.name())).value();
  ASSERT_TRUE(add(*catalog, "a"));
  auto blocker = database_.connect();
  ASSERT_TRUE(blocker.execute("BEGIN; LOCK TABLE step IN ACCESS EXCLUSIVE MODE"));  // its statement waits for this, and not for the client
  auto watcher = database_.connect();
  auto waiting = [&] { return watcher.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").value(); };
  auto holder = holder_of(watcher);
  proxy.cut("INSERT INTO step", Proxy::Moment::after_sending);
  std::promise<Status> ended;
  catalog->commit({AddStep{make_step(catalog->next_step_id(), "b")}}, [&](Status status) { ended.set_value(std::move(status)); });
  auto future = ended.get_future();
  while (holder_of(watcher) == holder || waiting() == 0) {
  }
  ASSERT_TRUE(blocker.execute("ROLLBACK"));
  EXPECT_TRUE(future.get());
  EXPECT_EQ(watcher.number("SELECT count(*) FROM step").value(), 2);
}

TEST_F(PostgresOwnerTest, TwoThatOpenAtOnceMakeTheTablesOnce) {
  std::vector<Result<std::unique_ptr<Catalog>>> opened;
  Mutex mutex;
  {
    auto one = [&] {
      auto catalog = open_postgres_catalog(database_.url(), {.owner_patience = std::chrono::milliseconds(1)});
      MutexLock lock(mutex);
      opened.push_back(std::move(catalog));
    };
    NamedThread first("first", one);
    NamedThread second("second", one);
  }
  ASSERT_NE(opened[0].has_value(), opened[1].has_value());
  auto& refused = opened[0] ? opened[1] : opened[0];
  EXPECT_EQ(refused.error().code, Code::conflict);
}

}  // namespace
}  // namespace lo::catalog
