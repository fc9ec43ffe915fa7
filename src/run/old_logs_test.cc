#include "run/old_logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/temporary_folder.h"
#include "run/log_writer.h"

namespace lo::run {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const FileTime kNow = FileTime(std::chrono::hours(1));

LogFile log(int revision, std::int64_t bytes, seconds age) {
  return {.path = std::to_string(revision), .key = {.step = 1, .revision = revision}, .bytes = bytes, .modified = kNow - age};
}

std::vector<std::string> removed(std::vector<LogFile> logs, const LogRules& rules, Owner owner = Owner::ended) {
  std::vector<std::string> names;
  for (const auto& one : logs_to_remove(std::move(logs), [owner](catalog::RevisionKey) { return owner; }, rules, kNow))
    names.push_back(one.path.string());
  return names;
}

TEST(OldLogs, WithoutRulesOnlyThoseOfWhatIsGoneGo) {
  std::vector logs{log(1, 10, seconds(1)), log(2, 10, seconds(1000))};
  EXPECT_THAT(removed(logs, {}), IsEmpty());
  EXPECT_THAT(removed(logs, {}, Owner::gone), ElementsAre("1", "2"));
}

TEST(OldLogs, OldOnesGo) {
  std::vector logs{log(1, 10, seconds(9)), log(2, 10, seconds(10)), log(3, 10, seconds(11))};
  EXPECT_THAT(removed(logs, {.age = seconds(10)}), ElementsAre("3"));
}

TEST(OldLogs, TheOldestGoWhereTheyAreTooManyBytes) {
  std::vector logs{log(1, 10, seconds(3)), log(2, 10, seconds(1)), log(3, 10, seconds(2))};
  EXPECT_THAT(removed(logs, {.bytes = 20}), ElementsAre("1"));
  EXPECT_THAT(removed(logs, {.bytes = 0}), ElementsAre("2", "3", "1"));
}

TEST(OldLogs, ThoseOfWhatHasNotEndedStayAndCount) {
  EXPECT_THAT(removed({log(1, 10, seconds(1000))}, {.age = seconds(1), .bytes = 0}, Owner::open), IsEmpty());
}

class OldLogFiles : public testing::Test {
 protected:
  void write(catalog::RevisionKey key, const std::string& text) {
    auto path = log_path(folder_.path(), key, 1);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  bool exists(catalog::RevisionKey key) const { return std::filesystem::exists(log_path(folder_.path(), key, 1)); }

  RemovedLogs remove(bool dry_run, const LogRules& rules = {}) {
    auto revisions_of = [](catalog::StepId step) -> Result<std::map<int, bool>> {
      return step == 1 ? std::map<int, bool>{{1, true}, {3, false}} : std::map<int, bool>{};
    };
    return remove_old_logs(folder_.path(), rules, revisions_of, dry_run).value();
  }

  TemporaryFolder folder_;
};

TEST_F(OldLogFiles, GoWithTheirRevisionsAndSteps) {
  for (catalog::RevisionKey key : {catalog::RevisionKey{1, 1}, {1, 2}, {1, 3}, {2, 1}}) write(key, "12345");
  std::ofstream(folder_.path() / "logs" / "1" / "notes.txt") << "mine";
  auto told = remove(true);
  EXPECT_EQ(told.count, 2);
  EXPECT_EQ(told.bytes, 10);
  EXPECT_TRUE(exists({1, 2}));
  auto done = remove(false);
  EXPECT_EQ(done.count, 2);
  EXPECT_EQ(done.bytes, 10);
  EXPECT_TRUE(exists({1, 1}));
  EXPECT_FALSE(exists({1, 2}));
  EXPECT_TRUE(exists({1, 3}));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "logs" / "2"));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "logs" / "1" / "notes.txt"));
  EXPECT_EQ(remove(false, {.bytes = 0}).count, 1);
  EXPECT_TRUE(exists({1, 3}));
}

TEST_F(OldLogFiles, AFileUnderTwoNamesCountsOnce) {
  write({2, 1}, "1234567890");
  std::filesystem::create_directories(folder_.path() / "logs" / "3");
  std::filesystem::create_hard_link(log_path(folder_.path(), {2, 1}, 1), log_path(folder_.path(), {3, 1}, 1));
  EXPECT_EQ(remove(true).bytes, 10);
}

TEST_F(OldLogFiles, NoneAreNone) { EXPECT_EQ(remove(false).count, 0); }

}  // namespace
}  // namespace lo::run
