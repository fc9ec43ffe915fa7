// Several servers with one catalog: who leads, what the others hear, and what they may do.
#include <gmock/gmock.h>

#include "base/mutex.h"
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
using ::testing::HasSubstr;

constexpr std::chrono::milliseconds kAtOnce{1}, kPatient{20'000};
constexpr PostgresOptions kImpatient{.patience = std::chrono::milliseconds(50),
                                     .read_patience = std::chrono::milliseconds(50),
                                     .owner_patience = std::chrono::milliseconds(50)};

// What a member hears.
class Heard {
 public:
  void listen_to(SharedCatalog& catalog, std::int64_t after = 0) {
    catalog.on_events([this](std::span<const Event> events) {
      MutexLock lock(mutex_);
      for (const auto& event : events) seqs_.push_back(event.seq);
      changed_.notify_all();
    });
    catalog.follow(after);
  }

  // The first ones, as soon as there are so many.
  std::vector<std::int64_t> wait_for(std::size_t count) {
    auto until = std::chrono::steady_clock::now() + kPatient;
    MutexLock lock(mutex_);
    while (seqs_.size() < count && std::chrono::steady_clock::now() < until) changed_.wait_until(mutex_, until);
    return seqs_;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<std::int64_t> seqs_ LO_GUARDED_BY(mutex_);
};

class PostgresSharedTest : public ::testing::Test {
 protected:
  std::unique_ptr<SharedCatalog> join(const std::string& address, const std::string& url) { return share_postgres_catalog(url, address, kImpatient).value(); }
  std::unique_ptr<SharedCatalog> join(const std::string& address) { return join(address, database_.url()); }
  static Status tell(Catalog& catalog, const std::string& type) { return commit(catalog, {AddEvent{make_event("a", type)}}); }

  Database database_;
};

TEST_F(PostgresSharedTest, OneLeadsAndTheOthersReadWhatItWrites) {
  auto first = join("http://a:1"), second = join("http://b:1");
  ASSERT_TRUE(first->lead(kAtOnce));
  EXPECT_EQ(second->lead(kAtOnce).error().code, Code::conflict);
  ASSERT_TRUE(commit(*first, {AddStep{make_step(first->next_step_id(), "s")}}));
  EXPECT_TRUE(second->find_step("s").value());
  auto leader = second->leader().value();
  EXPECT_EQ(leader.address, "http://a:1");
  EXPECT_FALSE(leader.is_self);
  EXPECT_TRUE(first->leader()->is_self);
}

TEST_F(PostgresSharedTest, OneThatDoesNotLeadChangesNothing) {
  auto first = join("http://a:1"), second = join("http://b:1");
  ASSERT_TRUE(first->lead(kAtOnce));
  EXPECT_EQ(tell(*second, "x").error().code, Code::unavailable);
  std::promise<Result<std::int64_t>> trimmed;
  second->trim_events(1, [&](Result<std::int64_t> gone) { trimmed.set_value(std::move(gone)); });
  EXPECT_EQ(trimmed.get_future().get().error().code, Code::unavailable);
  EXPECT_EQ(first->last_event().value(), 0);
}

TEST_F(PostgresSharedTest, EventsReachTheOthersInTheirOrder) {
  auto first = join("http://a:1"), second = join("http://b:1");
  Heard heard;
  ASSERT_TRUE(first->lead(kAtOnce));
  ASSERT_TRUE(tell(*first, "one"));
  heard.listen_to(*second);
  for (const auto* type : {"two", "three"}) ASSERT_TRUE(tell(*first, type));
  EXPECT_THAT(heard.wait_for(3), ElementsAre(1, 2, 3));
}

TEST_F(PostgresSharedTest, NoEventIsMissedWhileTheConnectionIsGone) {
  Proxy proxy(PrivateServer::shared().socket());
  auto first = join("http://a:1"), second = join("http://b:1", proxy.url(database_.name()));
  Heard heard;
  ASSERT_TRUE(first->lead(kAtOnce));
  heard.listen_to(*second);
  ASSERT_TRUE(tell(*first, "one"));
  heard.wait_for(1);
  proxy.refuse();
  ASSERT_TRUE(tell(*first, "two"));
  proxy.accept_again();
  ASSERT_TRUE(tell(*first, "three"));
  EXPECT_THAT(heard.wait_for(3), ElementsAre(1, 2, 3));
}

TEST_F(PostgresSharedTest, AnotherLeadsWhenTheFirstIsGoneAndHasHeardAllThen) {
  auto first = join("http://a:1"), second = join("http://b:1");
  Heard heard;
  ASSERT_TRUE(first->lead(kAtOnce));
  heard.listen_to(*second);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(tell(*first, "before"));
  auto id = first->next_step_id();
  first.reset();
  ASSERT_TRUE(second->lead(kPatient));
  EXPECT_EQ(heard.wait_for(0).size(), 20U);
  ASSERT_TRUE(tell(*second, "after"));
  EXPECT_EQ(heard.wait_for(21).back(), 21);
  EXPECT_GT(second->next_step_id(), id);
  EXPECT_TRUE(second->leader()->is_self);
}

TEST_F(PostgresSharedTest, OneThatWasOvertakenFindsOut) {
  auto first = join("http://a:1"), second = join("http://b:1");
  ASSERT_TRUE(first->lead(kAtOnce));
  auto connection = database_.connect();
  ASSERT_TRUE(connection.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 1280262977 AND "
                                 "database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
  ASSERT_TRUE(second->lead(kPatient));
  auto leader = first->leader().value();
  EXPECT_FALSE(leader.is_self);
  EXPECT_EQ(leader.address, "http://b:1");
  EXPECT_THAT(tell(*first, "x").error().message, HasSubstr("another server has taken over"));
}

TEST_F(PostgresSharedTest, AddressIsOneServersOnly) {
  auto first = join("http://a:1");
  auto second = share_postgres_catalog(database_.url(), "http://a:1", kImpatient);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().message, HasSubstr("at http://a:1 (--advertise)"));
  ASSERT_TRUE(first->lead(kAtOnce));  // the one that leads keeps it
  EXPECT_FALSE(share_postgres_catalog(database_.url(), "http://a:1", kImpatient));
  first.reset();
  EXPECT_TRUE(share_postgres_catalog(database_.url(), "http://a:1", {.owner_patience = kPatient}));
}

TEST_F(PostgresSharedTest, OneThatIsAloneKeepsTheOthersOut) {
  auto alone = open_postgres_catalog(database_.url(), kImpatient).value();
  auto member = share_postgres_catalog(database_.url(), "http://a:1", kImpatient);
  ASSERT_FALSE(member);
  EXPECT_EQ(member.error().code, Code::conflict);
  EXPECT_THAT(member.error().message, HasSubstr("without --advertise holds the catalog"));
  alone.reset();
  EXPECT_TRUE(share_postgres_catalog(database_.url(), "http://a:1", {.owner_patience = kPatient}));
}

TEST_F(PostgresSharedTest, AddressIsHeldAgainAfterTheConnectionWasLost) {
  auto first = share_postgres_catalog(database_.url(), "http://a:1", {.owner_patience = kImpatient.owner_patience}).value();  // its commits wait
  ASSERT_TRUE(first->lead(kAtOnce));
  ASSERT_TRUE(database_.connect().execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 1280262977 AND "
                                          "database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
  ASSERT_TRUE(tell(*first, "x"));
  EXPECT_FALSE(share_postgres_catalog(database_.url(), "http://a:1", kImpatient));
}

TEST_F(PostgresSharedTest, OlderTablesThatSomebodyUsesAreAConflict) {
  auto first = join("http://a:1");
  ASSERT_TRUE(first->lead(kAtOnce));
  ASSERT_TRUE(database_.connect().execute("UPDATE catalog_schema SET version = 1"));
  auto second = share_postgres_catalog(database_.url(), "http://b:1", kImpatient);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
}

}  // namespace
}  // namespace lo::catalog
