#include "catalog/postgres/connection.h"

#include <gmock/gmock.h>
#include <sys/eventfd.h>

#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/testing/database.h"
#include "catalog/postgres/url.h"

namespace lo::catalog::postgres {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "s3cret-word";

// What is told to whoever starts the server: one line, which names the setting and no password.
auto is_one_line_without_the_password() {
  return AllOf(HasSubstr("(--catalog)"), Not(HasSubstr("\n")), Not(HasSubstr(kPassword)), Not(HasSubstr("s3cret")), Not(HasSubstr("word@")));
}

Error open_error(const std::string& url) {
  auto catalog = open_postgres_catalog(url);
  return catalog ? Error{.message = "it was opened"} : catalog.error();
}

class PostgresConnectionTest : public ::testing::Test {
 protected:
  PrivateServer& server_ = PrivateServer::shared();
  Database database_;
};

TEST_F(PostgresConnectionTest, WrongPasswordIsToldWithoutIt) {
  auto connection = database_.connect();
  ASSERT_TRUE(connection.execute("CREATE ROLE locked LOGIN PASSWORD 'another'"));
  auto folder = server_.socket().parent_path().string();
  auto error = open_error(fmt::format("postgresql://locked:{}@/{}?host={}", kPassword, database_.name(), folder));
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, AllOf(is_one_line_without_the_password(), HasSubstr("password authentication failed")));
  EXPECT_THAT(error.internal, Not(HasSubstr(kPassword)));
  error = open_error(fmt::format("user=locked password={} dbname={} host={}", kPassword, database_.name(), folder));
  EXPECT_THAT(error.message, AllOf(is_one_line_without_the_password(), HasSubstr("password authentication failed")));
  ASSERT_TRUE(connection.execute("DROP ROLE locked"));
}

TEST_F(PostgresConnectionTest, UnreachableHostsAreToldOnOneLine) {
  auto error = open_error(fmt::format("postgresql://ada:{}@127.0.0.1:1,127.0.0.1:2/catalog", kPassword));
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, AllOf(is_one_line_without_the_password(), HasSubstr("port 1 failed"), HasSubstr("port 2 failed")));
}

TEST_F(PostgresConnectionTest, MissingDatabaseIsToldByItsName) {
  auto error = open_error(server_.url("nowhere"));
  EXPECT_THAT(error.message, AllOf(is_one_line_without_the_password(), HasSubstr("database \"nowhere\" does not exist")));
}

TEST_F(PostgresConnectionTest, TextThatIsNoConnectionStringIsNotRepeated) {
  for (const auto* text : {"postgresql://ada:s3cret-@word@host/db", "postgresql://ada:s3cret/word@host/db", "postgresql://ada:s3cret-word@host:port:5/db?x=",
                           "user=ada password=s3cret-word sslmood=s3cret-word", "host=x password='s3cret-word"}) {
    auto error = open_error(text);
    EXPECT_EQ(error.code, Code::unacceptable) << text;
    EXPECT_THAT(error.message, is_one_line_without_the_password()) << text;
  }
  EXPECT_TRUE(check_url("postgresql://ada:s3cret%40word@host/db?sslrootcert=/a@b"));
  EXPECT_TRUE(check_url("postgresql://ada@one,two:5433/db?target_session_attrs=read-write"));
}

TEST_F(PostgresConnectionTest, SecondHostIsTakenWhereTheFirstCannotBeWrittenTo) {
  auto reading = database_.connect();
  ASSERT_TRUE(reading.execute(fmt::format("ALTER DATABASE {} SET default_transaction_read_only = on", database_.name())));
  auto folder = server_.socket().parent_path().string();
  auto read_write = fmt::format("host={0},{0} dbname={1} user=postgres target_session_attrs=read-write", folder, database_.name());
  EXPECT_THAT(open_error(read_write).message, AllOf(is_one_line_without_the_password(), HasSubstr("read-only")));
  ASSERT_TRUE(reading.execute(fmt::format("SET default_transaction_read_only = off; ALTER DATABASE {} RESET default_transaction_read_only", database_.name())));
  auto nowhere = fmt::format("host=/nowhere,{} dbname={} user=postgres target_session_attrs=read-write", folder, database_.name());
  EXPECT_TRUE(open_postgres_catalog(nowhere));
}

TEST_F(PostgresConnectionTest, DatabaseOfAnotherEncodingIsRefused) {
  auto connection = database_.connect();
  ASSERT_TRUE(connection.execute("CREATE DATABASE old ENCODING 'LATIN1' TEMPLATE template0"));
  auto error = open_error(server_.url("old"));
  EXPECT_EQ(error.code, Code::unacceptable);
  EXPECT_THAT(error.message, AllOf(is_one_line_without_the_password(), HasSubstr("LATIN1")));
  ASSERT_TRUE(connection.execute("DROP DATABASE old"));
}

TEST_F(PostgresConnectionTest, CommitIsNeverLessThanOnDiskWhateverTheDatabaseIsSetTo) {
  auto setting = [&](const std::string& set_to) {
    EXPECT_TRUE(database_.connect().execute(fmt::format("ALTER DATABASE {} SET synchronous_commit = {}", database_.name(), set_to)));
    auto connection = database_.connect();
    auto answer = connection.query("SHOW synchronous_commit").value();
    EXPECT_TRUE(answer.step());
    return answer.text();
  };
  EXPECT_EQ(setting("off"), "on");
  EXPECT_EQ(setting("remote_apply"), "remote_apply");
}

TEST_F(PostgresConnectionTest, ValuesComeBackAsTheyWereSent) {
  auto connection = database_.connect();
  std::string bytes("a\0\xff", 3);
  auto row = connection.query("SELECT $1, $2, $3, $4, $5", std::int64_t{-1} << 62U, 0.1, "ü\n", Bytes{bytes}, std::optional<std::int64_t>()).value();
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(), std::int64_t{-1} << 62U);
  EXPECT_EQ(row.real(), 0.1);
  EXPECT_EQ(row.text(), "ü\n");
  EXPECT_EQ(row.text(), bytes);
  EXPECT_EQ(row.optional_integer(), std::nullopt);
  EXPECT_FALSE(row.step());
}

TEST_F(PostgresConnectionTest, PipelineStopsAtTheFirstErrorAndTheConnectionGoesOn) {
  auto connection = database_.connect();
  ASSERT_TRUE(connection.execute("CREATE TABLE one (x bigint PRIMARY KEY)"));
  std::vector<Command> commands;
  for (int i : {1, 2, 2, 3}) commands.push_back({.sql = "INSERT INTO one VALUES ($1)", .parameters = {i}});
  auto status = connection.run_together(commands);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().internal, HasSubstr("23505"));
  EXPECT_FALSE(connection.lost());
  EXPECT_EQ(connection.number("SELECT count(*) FROM one").value(), 0);  // without BEGIN a pipeline is one transaction
}

// More than either side's buffers hold, both ways.
TEST_F(PostgresConnectionTest, LongPipelineWithLongAnswersGoesThrough) {
  auto connection = database_.connect();
  std::string text(20'000, 'x');
  int answers = 0;
  auto check = [&](Answer& answer) {
    if (answer.step() && answer.view() == text) ++answers;
    return answer.status();
  };
  std::vector<Command> commands;
  for (int i = 0; i < 1'200; ++i) commands.push_back({.sql = "SELECT $1", .parameters = {text}, .check = check});
  ASSERT_TRUE(connection.run_together(commands));
  EXPECT_EQ(answers, 1'200);
}

// The socket is silent then: whoever waits for it waits for an hour.
TEST(PostgresNotification, OneThatCameWithAnAnswerIsNotMissed) {
  Database database;
  auto listener = database.connect(), other = database.connect();
  const UniqueFd stop(::eventfd(0, EFD_CLOEXEC));
  ASSERT_TRUE(listener.execute("LISTEN news"));
  ASSERT_TRUE(other.execute("NOTIFY news"));
  EXPECT_EQ(listener.number("SELECT 1").value(), 1);
  EXPECT_TRUE(listener.await_notification(stop.get(), std::chrono::hours(1)).value());
  EXPECT_FALSE(listener.await_notification(stop.get(), std::chrono::milliseconds(1)).value());
}

}  // namespace
}  // namespace lo::catalog::postgres
