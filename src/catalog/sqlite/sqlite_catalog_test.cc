#include "catalog/sqlite/sqlite_catalog.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "catalog/catalog_suite.h"
#include "catalog/sqlite/connection.h"
#include "base/testing/temporary_folder.h"

namespace lo::catalog {
namespace {

using sqlite::Connection;

class SqliteSubject {
 public:
  SqliteSubject() { open(); }
  Catalog& catalog() { return *catalog_; }
  void reopen() {
    catalog_.reset();
    open();
  }

 private:
  void open() { catalog_ = open_sqlite_catalog(folder_.path() / "catalog.sqlite").value(); }

  TemporaryFolder folder_;
  std::unique_ptr<Catalog> catalog_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CatalogCommitSuite, SqliteSubject);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CatalogReadSuite, SqliteSubject);

class SqliteCatalogTest : public ::testing::Test {
 protected:
  // A second connection to the file, to look at and to damage it.
  Connection connect() { return Connection::open(file_, Connection::Access::read_write).value(); }
  Error open_error() { return open_sqlite_catalog(file_).error(); }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "catalog.sqlite";
};

TEST_F(SqliteCatalogTest, FileIsReadableByItsOwnerAlone) {
  auto catalog = open_sqlite_catalog(file_).value();
  ASSERT_TRUE(commit(*catalog, {AddEvent{make_event("a", "accepted")}}));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 3);  // the database, its log and the log's index
}

TEST_F(SqliteCatalogTest, LogIsClearedAwayAtTheEnd) {
  open_sqlite_catalog(file_).value().reset();
  EXPECT_FALSE(std::filesystem::exists(file_.string() + "-wal"));
}

TEST_F(SqliteCatalogTest, DestructorCommitsWhatWasHandedOver) {
  int done = 0;
  {
    auto catalog = open_sqlite_catalog(file_).value();
    for (int i = 0; i < 50; ++i) catalog->commit({AddEvent{make_event("a", "accepted")}}, [&](Status) { ++done; });
  }
  EXPECT_EQ(done, 50);
  EXPECT_EQ(open_sqlite_catalog(file_).value()->last_event().value(), 50);
}

TEST_F(SqliteCatalogTest, NewerSchemaIsRefusedNamingBothVersions) {
  open_sqlite_catalog(file_).value().reset();
  ASSERT_TRUE(connect().execute("PRAGMA user_version = 42"));
  auto error = open_error();
  EXPECT_EQ(error.code, Code::unavailable);
  EXPECT_THAT(error.message, HasSubstr("version 42"));
  EXPECT_THAT(error.message, HasSubstr("up to 1"));
  EXPECT_EQ(connect().number("PRAGMA user_version").value(), 42);
}

TEST_F(SqliteCatalogTest, ForeignDatabaseIsRefusedAndNotTouched) {
  ASSERT_TRUE(connect().execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)"));
  auto error = open_error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, HasSubstr("another program"));
  EXPECT_EQ(connect().number("SELECT count(*) FROM sqlite_schema").value(), 1);
}

TEST_F(SqliteCatalogTest, FileThatIsNoDatabaseIsRefusedNamingIt) {
  std::ofstream(file_) << std::string(8192, 'x');
  auto error = open_error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, HasSubstr(file_.string()));
}

TEST_F(SqliteCatalogTest, TruncatedFileIsRefused) {
  open_sqlite_catalog(file_).value().reset();
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  EXPECT_EQ(open_error().code, Code::corrupt);
}

TEST_F(SqliteCatalogTest, MissingFolderIsAnErrorThatNamesTheFile) {
  file_ = folder_.path() / "missing" / "catalog.sqlite";
  auto error = open_error();
  EXPECT_EQ(error.code, Code::io);
  EXPECT_THAT(error.message, HasSubstr("missing/catalog.sqlite"));
}

TEST_F(SqliteCatalogTest, RowThatCannotBeOursIsCorrupt) {
  auto catalog = open_sqlite_catalog(file_).value();
  auto id = catalog->next_step_id();
  ASSERT_TRUE(commit(*catalog, {AddStep{make_step(id, "a")}, AddRevision{make_revision({id, 1})}}));
  ASSERT_TRUE(connect().execute("UPDATE revision SET state = 'done'"));
  EXPECT_EQ(catalog->revision({id, 1}).error().code, Code::corrupt);
  ASSERT_TRUE(connect().execute("UPDATE revision SET state = 'queued', facts = '{'"));
  EXPECT_EQ(catalog->all_revisions().error().code, Code::corrupt);
}

}  // namespace
}  // namespace lo::catalog
