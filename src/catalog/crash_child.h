// For tests of kill -9: a child that commits and reports what was acknowledged. It is this program again, running the same test with
// CATALOG_CRASH_CHILD set.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/fd.h"
#include "catalog/testing.h"

namespace lo::catalog {

inline constexpr int kReportFd = 3;
inline constexpr int kEventsPerBatch = 3;

inline Batch make_batch(Catalog& catalog, int number) {
  auto step = make_step(catalog.next_step_id(), std::to_string(::getpid()) + "-" + std::to_string(number));
  RevisionKey key{step.id, 1};
  Batch batch{AddStep{step}, AddRevision{make_revision(key)}, PutAttempt{make_attempt(key, 1)}};
  for (int i = 0; i < kEventsPerBatch; ++i) batch.emplace_back(AddEvent{make_event(step.name, "progress")});
  return batch;
}

inline void report(int number) {
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

[[noreturn]] inline void commit_until_killed(Catalog& catalog) {
  Committer committer(catalog);
  constexpr int kOutstanding = 16;
  for (int i = 0; i < kOutstanding; ++i) committer.begin_one();
  while (true) ::pause();
}

[[noreturn]] inline void commit_one_by_one(Catalog& catalog, int count) {
  for (int i = 0; i < count; ++i)
    if (commit(catalog, make_batch(catalog, i))) report(i);
  ::_exit(0);
}

// Where the child finds its catalog; nullptr in what is no child.
inline const char* child_place() { return std::getenv("CATALOG_CRASH_CHILD"); }

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

inline std::vector<std::string> child_environment(const std::string& place, const std::string& faults) {
  std::vector<std::string> out{"CATALOG_CRASH_CHILD=" + place, "ORCHESTRA_FAULTS=" + faults};
  for (char** variable = environ; *variable != nullptr; ++variable) out.emplace_back(*variable);
  return out;
}

inline std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

inline Child spawn(const std::string& place, const std::string& faults = "") {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  UniqueFd write_end(pipe[1]);
  Child child{.pid = 0, .reports = UniqueFd(pipe[0])};
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  auto filter = std::string("--gtest_filter=") + test->test_suite_name() + "." + test->name();
  std::vector<std::string> words{"catalog_test", filter};
  auto variables = child_environment(place, faults);
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
inline std::set<std::string> stored_whole(Catalog& catalog) {
  std::set<std::string> names;
  auto steps = catalog.all_steps().value();
  for (const auto& step : steps) {
    names.insert(step.name);
    EXPECT_EQ(catalog.revisions(step.id).value().size(), 1U) << step.name;
    EXPECT_EQ(catalog.attempts(step.id).value().size(), 1U) << step.name;
    EXPECT_EQ(catalog.events_after(0, {.name = step.name}, 10).value().size(), std::size_t{kEventsPerBatch}) << step.name;
  }
  EXPECT_EQ(catalog.last_event().value(), static_cast<std::int64_t>(names.size()) * kEventsPerBatch);
  EXPECT_EQ(catalog.all_revisions().value().size(), names.size());
  return names;
}

}  // namespace lo::catalog
