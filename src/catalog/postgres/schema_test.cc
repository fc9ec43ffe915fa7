#include "catalog/postgres/schema.h"

#include <gmock/gmock.h>

#include <array>

#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/testing/database.h"

namespace lo::catalog::postgres {
namespace {

using ::testing::HasSubstr;

Status make_one(Connection& connection) { return connection.execute("CREATE TABLE one (x bigint); INSERT INTO one VALUES (1)"); }
Status make_two(Connection& connection) { return connection.execute("ALTER TABLE one ADD COLUMN y bigint DEFAULT 2"); }
Status break_off(Connection& connection) {
  LO_TRY(connection.execute("DROP TABLE one"));
  return fail(Code::internal, "broken off");
}

class PostgresSchemaTest : public ::testing::Test {
 protected:
  Status run(std::span<const Migration> all) { return migrate(connection_, all); }
  std::int64_t version() { return connection_.number("SELECT version FROM catalog_schema").value(); }

  Database database_;
  Connection connection_ = database_.connect();
};

TEST_F(PostgresSchemaTest, ListLeadsToTheVersionOfTheHeader) {
  EXPECT_EQ(migrations().size(), static_cast<std::size_t>(kPostgresSchemaVersion));
  ASSERT_TRUE(run(migrations()));
  EXPECT_EQ(version(), kPostgresSchemaVersion);
  EXPECT_TRUE(run(migrations()));  // nothing to do
}

TEST_F(PostgresSchemaTest, OlderSchemaGetsWhatItLacksAndKeepsItsRows) {
  constexpr std::array<Migration, 2> kAll{make_one, make_two};
  ASSERT_TRUE(run(std::span(kAll).first(1)));
  EXPECT_EQ(version(), 1);
  ASSERT_TRUE(run(kAll));
  EXPECT_EQ(version(), 2);
  EXPECT_EQ(connection_.number("SELECT x + y FROM one").value(), 3);
}

TEST_F(PostgresSchemaTest, MigrationThatFailsChangesNothing) {
  constexpr std::array<Migration, 3> kAll{make_one, make_two, break_off};
  ASSERT_TRUE(run(std::span(kAll).first(1)));
  auto status = run(kAll);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "broken off");
  EXPECT_EQ(version(), 1);
  EXPECT_EQ(connection_.number("SELECT x FROM one").value(), 1);
}

TEST_F(PostgresSchemaTest, NewerSchemaIsRefusedNamingBothVersions) {
  ASSERT_TRUE(open_postgres_catalog(database_.url()));
  ASSERT_TRUE(connection_.execute("UPDATE catalog_schema SET version = 42"));
  auto error = open_postgres_catalog(database_.url()).error();
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, HasSubstr("(--catalog) has schema version 42"));
  EXPECT_THAT(error.message, HasSubstr("up to " + std::to_string(kPostgresSchemaVersion)));
  EXPECT_EQ(version(), 42);
}

TEST_F(PostgresSchemaTest, TablesOfAnotherProgramAreRefusedAndNotTouched) {
  ASSERT_TRUE(connection_.execute("CREATE TABLE theirs (x bigint)"));
  auto error = open_postgres_catalog(database_.url()).error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, HasSubstr("another program"));
  EXPECT_EQ(connection_.number("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace").value(), 1);
}

TEST_F(PostgresSchemaTest, TwoThatMigrateAtOnceDoItOnce) {
  {
    auto one = [this] {
      auto connection = database_.connect();
      EXPECT_TRUE(migrate(connection, migrations()));
    };
    NamedThread first("first", one);
    NamedThread second("second", one);
  }
  EXPECT_EQ(connection_.number("SELECT count(*) FROM owner").value(), 1);
}

TEST_F(PostgresSchemaTest, RowThatCannotBeOursIsCorrupt) {
  auto catalog = open_postgres_catalog(database_.url()).value();
  ASSERT_TRUE(connection_.execute("INSERT INTO step VALUES (1, 'a', 'dataset/csv', 0, '{')"));
  EXPECT_EQ(catalog->find_step("a").error().code, Code::corrupt);
}

}  // namespace
}  // namespace lo::catalog::postgres
