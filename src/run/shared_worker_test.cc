// Jobs that share processes, in real processes forked from the real fork servers.
#include "run/shared_workers.h"

#include <gmock/gmock.h>

#include <csignal>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr const char* kTellPid = "import os\nprint(os.getpid())\nresponse = os.getpid()";
constexpr const char* kNoteAndWait = "import os, threading\nopen(note, 'w').write(str(os.getpid()))\nthreading.Event().wait()";

class SharedWorkerTest : public RunnerFixture {
 protected:
  void SetUp() override {
    if (!fs::exists(options().python.python)) GTEST_SKIP() << "no environment " << options().python.python;
    start_runner(options());
  }

  static engine::JobRequest shared_job(const std::string& code, json::object parameters = {}, std::string owner = "ada") {
    auto job = function_job(code, std::move(parameters));
    job.shared_by = std::move(owner);
    return job;
  }

  std::string pid_of_shared(std::string owner = "ada") {
    auto outcome = run(shared_job(kTellPid, {}, std::move(owner)));
    EXPECT_EQ(outcome.state, State::finished) << outcome.exception;
    return outcome.message;
  }

  json::object note() { return {{"note", (folder_.path() / "note").string()}}; }
  fs::path note_path() const { return folder_.path() / "note"; }
};

TEST_F(SharedWorkerTest, JobsOfOneOwnerUseOneProcess) {
  auto first = pid_of_shared();
  EXPECT_EQ(pid_of_shared(), first);
  EXPECT_NE(run(function_job(kTellPid)).message, first);
  EXPECT_NE(pid_of_shared("grace"), first);
  EXPECT_EQ(pid_of_shared(), first);
  expect_no_job_files();
}

TEST_F(SharedWorkerTest, OtherLimitsAreAnotherProcess) {
  auto first = pid_of_shared();
  auto job = shared_job(kTellPid);
  job.limits.memory_bytes = 500'000'000;
  EXPECT_NE(run(std::move(job)).message, first);
}

TEST_F(SharedWorkerTest, GivesResultsLogsAndUsageOfEachJob) {
  for (int i = 0; i < 3; ++i) {
    auto outcome = run(shared_job("print('x is', x)\nresponse = {'x': x}", {{"x", i}}));
    ASSERT_EQ(outcome.state, State::finished) << outcome.exception;
    EXPECT_EQ(outcome.message, "x is " + std::to_string(i) + "\n");
    EXPECT_EQ(log(), outcome.message);
    EXPECT_EQ(string_or(outcome.manifest, "kind"), "object");
    EXPECT_GT(outcome.peak_memory, 1'000'000);
    EXPECT_LT(outcome.cpu_seconds, 60);
  }
  auto failed = run(shared_job("x = 1\nraise ValueError('no good')"));
  EXPECT_EQ(failed.exception, "ValueError: no good");
  EXPECT_THAT(failed.traceback, HasSubstr("line 2"));
}

TEST_F(SharedWorkerTest, ALargeStepAndALargeResultAreFiles) {
  std::string large(200'000, 'x');
  auto outcome = run(shared_job("response = [text, text]", {{"text", large}}));
  ASSERT_EQ(outcome.state, State::finished) << outcome.exception;
  auto job = shared_job("response = len(value[1])\nprint(response)", {{"value", "$value"}});
  job.inputs.push_back({.name = "value", .key = {5, 1}, .operation = "function/python", .manifest = outcome.manifest});
  EXPECT_EQ(run(std::move(job)).message, "200000\n");
  expect_no_job_files();
}

TEST_F(SharedWorkerTest, ADeathIsToldAndAnotherProcessTakesOver) {
  auto first = pid_of_shared();
  EXPECT_EQ(run(shared_job("import os\nos._exit(3)")).exception, "the process ended with exit status 3 before giving a result");
  auto second = pid_of_shared();
  EXPECT_NE(second, first);
  EXPECT_EQ(run(shared_job("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")).exception, "the process was killed by signal 9 (Killed)");
  EXPECT_NE(pid_of_shared(), second);
}

TEST_F(SharedWorkerTest, AnIdleProcessThatDiedIsReplaced) {
  auto first = pid_of_shared();
  auto pid = std::stoi(first);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(wait_for_death(pid));
  EXPECT_NE(pid_of_shared(), first);  // in whatever order the next job and the notice of the death come
}

TEST_F(SharedWorkerTest, ATimeoutEndsTheProcess) {
  auto first = pid_of_shared();
  auto job = shared_job("import threading\nthreading.Event().wait()");
  job.limits.timeout = milliseconds{50};
  auto outcome = run(std::move(job));
  EXPECT_EQ(outcome.reason, Reason::timeout);
  EXPECT_THAT(outcome.exception, HasSubstr("limit of 0.05 s"));
  EXPECT_NE(pid_of_shared(), first);
}

TEST_F(SharedWorkerTest, ACancelEndsTheProcess) {
  auto job = shared_job(kNoteAndWait, note());
  auto token = job.token;
  auto recorder = start(std::move(job));
  wait_for_file(note_path());
  runner_->stop(token, std::nullopt, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
  EXPECT_EQ(run(shared_job("response = 1")).state, State::finished);
}

TEST_F(SharedWorkerTest, ACancelBeforeThereIsAProcessRunsNothing) {
  auto job = shared_job(kNoteAndWait, note());
  auto token = job.token;
  auto recorder = start(std::move(job));
  runner_->stop(token, std::nullopt, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
  EXPECT_FALSE(fs::exists(note_path()));
  expect_no_job_files();
}

TEST_F(SharedWorkerTest, WhatAJobLeavesRunningEndsWithTheProcess) {
  auto first = pid_of_shared();
  auto left = run(shared_job("import subprocess\nprint(subprocess.Popen(['sleep', '1000']).pid)\nresponse = 1"));
  EXPECT_EQ(left.state, State::finished) << left.exception;
  EXPECT_TRUE(wait_for_death(std::stoi(left.message)));
  EXPECT_NE(pid_of_shared(), first);
}

TEST_F(SharedWorkerTest, JobsSideBySideHaveAProcessEach) {
  auto waiting = start(shared_job(kNoteAndWait, note()));
  wait_for_file(note_path());
  EXPECT_NE(pid_of_shared(), read(note_path()) + "\n");
}

TEST_F(SharedWorkerTest, ShutdownEndsIdleAndBusyProcesses) {
  pid_of_shared("grace");
  auto recorder = start(shared_job(kNoteAndWait, note()));
  wait_for_file(note_path());
  shutdown();
  recorder->wait_end();
  EXPECT_TRUE(recorder->outcome().lost);
  EXPECT_THAT(children_of(::getpid()), testing::IsEmpty());
}

TEST_F(SharedWorkerTest, IdleOnesAreLetGo) {
  shutdown();
  auto chosen = options();
  chosen.python.idle = milliseconds{1};
  start_runner(std::move(chosen));
  auto pid = std::stoi(pid_of_shared());
  EXPECT_TRUE(wait_for_death(pid));
}

}  // namespace
}  // namespace lo::run
