// kill -9 of a process that commits. The child is this program again, running the same test with CATALOG_CRASH_CHILD set.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <set>

#include "base/fd.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "base/testing/temporary_folder.h"
#include "catalog/testing.h"

namespace lo::catalog {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr int kReportFd = 3;
constexpr int kEventsPerBatch = 3;

Batch make_batch(Catalog& catalog, int number) {
  auto step = make_step(catalog.next_step_id(), std::to_string(::getpid()) + "-" + std::to_string(number));
  RevisionKey key{step.id, 1};
  Batch batch{AddStep{step}, AddRevision{make_revision(key)}, PutAttempt{make_attempt(key, 1)}};
  for (int i = 0; i < kEventsPerBatch; ++i) batch.emplace_back(AddEvent{make_event(step.name, "progress")});
  return batch;
}

void report(int number) {
  auto pid_and_number = std::array{::getpid(), number};
  if (::write(kReportFd, pid_and_number.data(), sizeof pid_and_number) != sizeof pid_and_number) ::_exit(2);
}

// Commits without end: each commit that is acknowledged is reported and followed by another one.
class Committer {
 public:
  explicit Committer(Catalog& catalog) : catalog_(catalog) {}
  void begin_one() {
    auto number = next_++;
    catalog_.commit(make_batch(catalog_, number), [this, number](Status status) {
      if (!status) ::_exit(3);
      report(number);
      begin_one();
    });
  }

 private:
  Catalog& catalog_;
  std::atomic<int> next_ = 0;
};

[[noreturn]] void commit_until_killed(const std::filesystem::path& file) {
  auto catalog = open_sqlite_catalog(file).value();
  Committer committer(*catalog);
  constexpr int kOutstanding = 16;
  for (int i = 0; i < kOutstanding; ++i) committer.begin_one();
  while (true) ::pause();
}

[[noreturn]] void commit_one_by_one(const std::filesystem::path& file, int count) {
  auto catalog = open_sqlite_catalog(file).value();
  for (int i = 0; i < count; ++i)
    if (commit(*catalog, make_batch(*catalog, i))) report(i);
  ::_exit(0);
}

const char* child_file() { return std::getenv("CATALOG_CRASH_CHILD"); }

struct Child {
  pid_t pid = 0;
  UniqueFd reports;

  // The number of the next acknowledged commit; nothing once the child is gone.
  std::optional<std::pair<pid_t, int>> next() const {
    std::array<int, 2> report{};
    if (::read(reports.get(), report.data(), sizeof report) != sizeof report) return std::nullopt;
    return std::pair(report[0], report[1]);
  }
  int wait() const {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }
};

std::vector<std::string> child_environment(const std::filesystem::path& file, const std::string& faults) {
  std::vector<std::string> out{"CATALOG_CRASH_CHILD=" + file.string(), "ORCHESTRA_FAULTS=" + faults};
  for (char** variable = environ; *variable != nullptr; ++variable) out.emplace_back(*variable);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

Child spawn(const std::filesystem::path& file, const std::string& faults = "") {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  UniqueFd write_end(pipe[1]);
  Child child{.pid = 0, .reports = UniqueFd(pipe[0])};
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  auto filter = std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
  std::vector<std::string> words{"catalog_test", filter};
  auto variables = child_environment(file, faults);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), kReportFd);
  auto failed = ::posix_spawn(&child.pid, "/proc/self/exe", &actions, nullptr, pointers(words).data(),
                              pointers(variables).data());
  EXPECT_EQ(failed, 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return child;
}

// What is stored, after checking that every batch of it is whole.
std::set<std::string> stored_whole(const std::filesystem::path& file) {
  auto catalog = open_sqlite_catalog(file).value();
  std::set<std::string> names;
  auto steps = catalog->all_steps().value();
  for (const auto& step : steps) {
    names.insert(step.name);
    EXPECT_EQ(catalog->revisions(step.id).value().size(), 1U) << step.name;
    EXPECT_EQ(catalog->attempts(step.id).value().size(), 1U) << step.name;
    EXPECT_EQ(catalog->events_after(0, {.name = step.name}, 10).value().size(), std::size_t{kEventsPerBatch}) << step.name;
  }
  EXPECT_EQ(catalog->last_event().value(), static_cast<std::int64_t>(names.size()) * kEventsPerBatch);
  EXPECT_EQ(catalog->all_revisions().value().size(), names.size());
  return names;
}

TEST(CatalogCrashTest, AcknowledgedCommitsOutliveKill9AndNoBatchIsHalf) {
  if (const auto* file = child_file()) commit_until_killed(file);
  constexpr int kRounds = 12;
  TemporaryFolder folder;
  auto file = folder.path() / "catalog.sqlite";
  std::mt19937 random(33);
  std::uniform_int_distribution<int> how_many(1, 400);
  std::vector<std::string> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    auto child = spawn(file);
    auto kill_at = how_many(random);
    for (int count = 1; auto report = child.next(); ++count) {
      acknowledged.push_back(std::to_string(report->first) + "-" + std::to_string(report->second));
      if (count == kill_at) ::kill(child.pid, SIGKILL);
    }
    EXPECT_TRUE(WIFSIGNALED(child.wait()));
    auto stored = stored_whole(file);
    for (const auto& name : acknowledged) EXPECT_TRUE(stored.contains(name)) << name << " after round " << round;
  }
}

struct FaultCase {
  std::string rule;
  std::vector<int> acknowledged;  // of four commits, 0 to 3
  std::vector<int> stored;
  bool killed = true;
};

class CatalogFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(CatalogFaultTest, StoresWhatItAcknowledged) {
  if (const auto* file = child_file()) commit_one_by_one(file, 4);
  TemporaryFolder folder;
  auto file = folder.path() / "catalog.sqlite";
  auto child = spawn(file, GetParam().rule);
  std::vector<int> acknowledged;
  while (auto report = child.next()) acknowledged.push_back(report->second);
  EXPECT_EQ(WIFSIGNALED(child.wait()), GetParam().killed);
  EXPECT_THAT(acknowledged, ElementsAreArray(GetParam().acknowledged));
  std::vector<std::string> expected;
  for (auto number : GetParam().stored) expected.push_back(std::to_string(child.pid) + "-" + std::to_string(number));
  EXPECT_THAT(stored_whole(file), ElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(Points, CatalogFaultTest,
                         ::testing::Values(FaultCase{"catalog.commit.before=abort@3", {0, 1}, {0, 1}},
                                           FaultCase{"catalog.commit.after=abort@3", {0, 1}, {0, 1, 2}},
                                           FaultCase{"catalog.commit.before=error@2", {0, 2, 3}, {0, 2, 3}, false},
                                           FaultCase{"catalog.commit.after=error@2", {0, 2, 3}, {0, 1, 2, 3}, false}));

}  // namespace
}  // namespace lo::catalog
