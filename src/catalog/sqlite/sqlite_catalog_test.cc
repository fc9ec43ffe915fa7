#include "catalog/sqlite/sqlite_catalog.h"

#include <sys/stat.h>

#include <atomic>
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
  EXPECT_THAT(error.message, HasSubstr("up to " + std::to_string(kSchemaVersion)));
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

TEST_F(SqliteCatalogTest, CopyIsTheCatalogAtOneMomentAndIsNotChangedByLaterCommits) {
  auto catalog = open_sqlite_catalog(file_).value();
  auto copy = folder_.path() / "copy.sqlite";
  ASSERT_TRUE(commit(*catalog, {AddStep{make_step(catalog->next_step_id(), "before")}}));
  ASSERT_TRUE(copy_sqlite_catalog(file_, copy));
  ASSERT_TRUE(commit(*catalog, {AddStep{make_step(catalog->next_step_id(), "after")}}));
  struct stat status{};
  ASSERT_EQ(::stat(copy.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  auto steps = open_sqlite_catalog(copy).value()->all_steps().value();
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].name, "before");
}

// A step and its revision come in one commit: no copy may have one without the other.
TEST_F(SqliteCatalogTest, CopiesMadeWhileItIsWrittenToAreConsistent) {
  auto catalog = open_sqlite_catalog(file_).value();
  std::atomic<bool> stop = false;
  NamedThread writing("writing", [&] {
    for (int i = 0; !stop; ++i) {
      auto step = make_step(catalog->next_step_id(), "step" + std::to_string(i));
      EXPECT_TRUE(commit(*catalog, {AddStep{step}, AddRevision{make_revision({step.id, 1}, State::queued)}}));
    }
  });
  std::size_t last = 0;
  for (int i = 0; i < 20; ++i) {
    auto file = folder_.path() / std::to_string(i);
    EXPECT_TRUE(copy_sqlite_catalog(file_, file));
    auto copy = open_sqlite_catalog(file).value();
    auto steps = copy->all_steps().value().size();
    EXPECT_EQ(steps, copy->all_revisions().value().size());
    EXPECT_GE(steps, last);
    last = steps;
  }
  stop = true;
}

TEST_F(SqliteCatalogTest, CopyOfNoCatalogIsRefused) {
  auto status = copy_sqlite_catalog(file_, folder_.path() / "copy.sqlite");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

}  // namespace
}  // namespace lo::catalog
