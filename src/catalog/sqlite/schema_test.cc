#include "catalog/sqlite/schema.h"

#include <gmock/gmock.h>

#include <array>

#include "catalog/sqlite/sqlite_catalog.h"
#include "base/testing/temporary_folder.h"

namespace lo::catalog::sqlite {
namespace {

using ::testing::HasSubstr;

Status make_one(Connection& connection) { return connection.execute("CREATE TABLE one (x); INSERT INTO one VALUES (1)"); }
Status make_two(Connection& connection) { return connection.execute("ALTER TABLE one ADD COLUMN y DEFAULT 2"); }
Status break_off(Connection& connection) {
  LO_TRY(connection.execute("DROP TABLE one"));
  return fail(Code::internal, "broken off");
}

class SchemaTest : public ::testing::Test {
 protected:
  Status run(std::span<const Migration> all) { return migrate(connection_, all, file_); }
  std::int64_t version() { return connection_.number("PRAGMA user_version").value(); }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "catalog.sqlite";
  Connection connection_ = Connection::open(file_, Connection::Access::read_write).value();
};

TEST_F(SchemaTest, ListLeadsToTheVersionOfTheHeader) {
  EXPECT_EQ(migrations().size(), static_cast<std::size_t>(kSchemaVersion));
  ASSERT_TRUE(run(migrations()));
  EXPECT_EQ(version(), kSchemaVersion);
  EXPECT_TRUE(run(migrations()));  // nothing to do
}

TEST_F(SchemaTest, OlderFileGetsWhatItLacksAndKeepsItsRows) {
  constexpr std::array<Migration, 2> kAll{make_one, make_two};
  ASSERT_TRUE(run(std::span(kAll).first(1)));
  EXPECT_EQ(version(), 1);
  ASSERT_TRUE(run(kAll));
  EXPECT_EQ(version(), 2);
  EXPECT_EQ(connection_.number("SELECT x + y FROM one").value(), 3);
}

TEST_F(SchemaTest, CatalogOfVersionOneGetsWorkflowsAndKeepsItsSteps) {
  ASSERT_TRUE(run(migrations().first(1)));
  ASSERT_TRUE(connection_.execute("INSERT INTO step VALUES (1, 'titanic', 'dataset/csv', 0, '{}')"));
  ASSERT_TRUE(run(migrations().first(2)));
  EXPECT_EQ(connection_.number("SELECT count(*) FROM step").value(), 1);
  EXPECT_EQ(connection_.number("SELECT count(*) FROM workflow").value(), 0);
}

TEST_F(SchemaTest, MigrationThatFailsChangesNothing) {
  constexpr std::array<Migration, 3> kAll{make_one, make_two, break_off};
  ASSERT_TRUE(run(std::span(kAll).first(1)));
  auto status = run(kAll);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "broken off");
  EXPECT_EQ(version(), 1);
  EXPECT_EQ(connection_.number("SELECT count(*) FROM pragma_table_info('one')").value(), 1);
}

TEST_F(SchemaTest, NewerFileIsRefused) {
  constexpr std::array<Migration, 2> kAll{make_one, make_two};
  ASSERT_TRUE(run(kAll));
  auto status = run(std::span(kAll).first(1));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::unavailable);
  EXPECT_THAT(status.error().message, HasSubstr("schema version 2"));
}

}  // namespace
}  // namespace lo::catalog::sqlite
