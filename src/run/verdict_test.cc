#include "run/verdict.h"

#include <gtest/gtest.h>

namespace lo::run {
namespace {

JobEnd end_with(json::object exited) { return job_end_from(exited); }

TEST(JobEnd, ReadsTheKeepersLastMessage) {
  auto end = end_with({{"type", "exited"}, {"status", 3}, {"signal", nullptr}, {"cpu_seconds", 1.5}, {"peak_memory", 1 << 20}});
  EXPECT_EQ(end.exit.status, 3);
  EXPECT_EQ(end.exit.signal, std::nullopt);
  EXPECT_EQ(end.cpu_seconds, 1.5);
  EXPECT_EQ(end.peak_memory, 1 << 20);
  EXPECT_FALSE(end.out_of_memory);
}

TEST(JobEnd, ToleratesNonsense) {
  auto end = end_with({{"status", "three"}, {"cpu_seconds", "much"}, {"out_of_memory", 7}});
  EXPECT_EQ(end.exit.status, std::nullopt);
  EXPECT_EQ(end.cpu_seconds, 0);
  EXPECT_FALSE(end.out_of_memory);
}

TEST(OutcomeWithoutResult, NamesTheExitStatus) {
  auto outcome = outcome_without_result(end_with({{"status", 3}}), {});
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::error);
  EXPECT_EQ(outcome.exception, "the process ended with exit status 3 before giving a result");
}

TEST(OutcomeWithoutResult, NamesTheSignal) {
  auto outcome = outcome_without_result(end_with({{"signal", 9}}), {});
  EXPECT_EQ(outcome.reason, Reason::killed);
  EXPECT_EQ(outcome.exception, "the process was killed by signal 9 (Killed)");
  EXPECT_FALSE(outcome.lost);
}

TEST(OutcomeWithoutResult, NamesPeakAndLimitOfMemory) {
  auto end = end_with({{"signal", 9}, {"out_of_memory", true}, {"peak_memory", 200'000'000}});
  auto outcome = outcome_without_result(end, 210'000'000);
  EXPECT_EQ(outcome.reason, Reason::out_of_memory);
  EXPECT_EQ(outcome.exception, "MemoryError: the process used more memory than it may (peak 200 MB, limit 210 MB)");
  add_usage(outcome, end, 210'000'000);
  EXPECT_EQ(outcome.exception, "MemoryError: the process used more memory than it may (peak 200 MB, limit 210 MB)");
}

TEST(OutcomeWithoutResult, ALostJobMayBeTriedAgain) {
  auto outcome = outcome_without_result({.exit = {}, .lost = true, .lost_why = "its keeper was killed"}, {});
  EXPECT_TRUE(outcome.lost);
  EXPECT_EQ(outcome.reason, Reason::killed);
  EXPECT_EQ(outcome.exception, "its keeper was killed");
}

TEST(AddUsage, CompletesAMemoryError) {
  auto outcome = failed(Reason::out_of_memory, "MemoryError: cannot allocate");
  add_usage(outcome, end_with({{"peak_memory", 100'000'000}, {"cpu_seconds", 2}}), 128'000'000);
  EXPECT_EQ(outcome.exception, "MemoryError: cannot allocate (peak 100 MB, limit 128 MB)");
  EXPECT_EQ(outcome.cpu_seconds, 2);
}

TEST(TimeoutText, IsShort) {
  EXPECT_EQ(timeout_text(std::chrono::seconds{2}), "ran longer than its limit of 2 s");
  EXPECT_EQ(timeout_text(std::chrono::milliseconds{1500}), "ran longer than its limit of 1.5 s");
}

TEST(Verdict, WhatAStepSaysOfItselfIsHeldWithinBounds) {
  auto end = job_end_from({{"cpu_seconds", -1e9}, {"peak_memory", 1e300}});
  EXPECT_EQ(end.cpu_seconds, 0);
  EXPECT_EQ(end.peak_memory, 1'000'000'000'000'000);
  EXPECT_EQ(job_end_from({{"cpu_seconds", "much"}, {"peak_memory", nullptr}}).peak_memory, 0);
}

}  // namespace
}  // namespace lo::run
