// User code in real processes, forked from the real fork servers.
#include "run/process_runner.h"

#include <gmock/gmock.h>

#include <csignal>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ProcessRunnerTest : public RunnerFixture {
 protected:
  void SetUp() override {
    if (!fs::exists(options().python.python)) GTEST_SKIP() << "no environment " << options().python.python;
    start_runner(options());
  }

  // A path for a step to write to, as a parameter.
  json::object note() { return {{"note", (folder_.path() / "note").string()}}; }
  fs::path note_path() const { return folder_.path() / "note"; }
  int noted_pid() { return std::stoi(read(note_path())); }
  static bool is_alive(int pid) { return fs::exists("/proc/" + std::to_string(pid)); }
};

TEST_F(ProcessRunnerTest, GivesTheResultOfAFunction) {
  auto outcome = run(function_job("print('hello')\nresponse = {'a': 1}"));
  EXPECT_EQ(outcome.state, State::finished) << outcome.exception << outcome.traceback;
  EXPECT_EQ(outcome.message, "hello\n");
  EXPECT_EQ(log(), "hello\n");
  EXPECT_EQ(string_or(outcome.manifest, "kind"), "object");
  EXPECT_GT(outcome.peak_memory, 0);
  expect_no_job_files();
  EXPECT_EQ(state_of("bare"), "warm");
  EXPECT_EQ(state_of("scientific"), "cold");
}

TEST_F(ProcessRunnerTest, CanBeWarmBeforeTheFirstJob) {
  auto is = [](std::string_view state) {
    return [state](const json::object& status) {
      const auto* bare = status.if_contains("bare");
      return bare != nullptr && string_or(bare->get_object(), "state") == state;
    };
  };
  start_runner(options());
  wait_for_status(is("cold"));
  runner_->warm();
  wait_for_status(is("warm"));
}

TEST_F(ProcessRunnerTest, TellsWhatTheCodeRaised) {
  auto outcome = run(function_job("x = 1\nraise ValueError('no good')"));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::error);
  EXPECT_EQ(outcome.exception, "ValueError: no good");
  EXPECT_THAT(outcome.traceback, HasSubstr("line 2"));
}

TEST_F(ProcessRunnerTest, GivesAResultAsInputOfAnother) {
  auto first = run(function_job("response = [1, 2, 3]"));
  auto job = function_job("response = sum(values)\nprint(response)", {{"values", "$numbers"}});
  job.inputs.push_back({.name = "numbers", .key = {5, 1}, .operation = "function/python", .manifest = first.manifest});
  auto outcome = run(std::move(job));
  EXPECT_EQ(outcome.state, State::finished) << outcome.exception;
  EXPECT_EQ(outcome.message, "6\n");
}

TEST_F(ProcessRunnerTest, ExitWithoutResultNamesTheStatus) {
  auto outcome = run(function_job("import os\nos._exit(3)"));
  EXPECT_EQ(outcome.reason, Reason::error);
  EXPECT_EQ(outcome.exception, "the process ended with exit status 3 before giving a result");
}

TEST_F(ProcessRunnerTest, DeathBySignalNamesIt) {
  auto outcome = run(function_job("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"));
  EXPECT_EQ(outcome.reason, Reason::killed);
  EXPECT_EQ(outcome.exception, "the process was killed by signal 9 (Killed)");
  EXPECT_FALSE(outcome.lost);
}

TEST_F(ProcessRunnerTest, LongOutputIsDrainedAndCut) {
  auto outcome = run(function_job("line = 'x' * 999\nfor i in range(100_000): print(line)\nprint('end')\nresponse = 1"));
  EXPECT_EQ(outcome.state, State::finished) << outcome.exception;
  EXPECT_THAT(outcome.message, EndsWith("x\nend\n"));
  EXPECT_LT(outcome.message.size(), 66'000U);
  auto text = log();
  EXPECT_THAT(text, HasSubstr(" bytes left out ...\n"));
  EXPECT_LT(text.size(), (std::size_t{64} << 20) + 100);
  EXPECT_THAT(text.substr(text.size() - 100), EndsWith("x\nend\n"));
}

TEST_F(ProcessRunnerTest, CancelEndsTheWholeTree) {
  auto job = function_job(R"(
import os, subprocess, time
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
open(note + "~", "w").write(str(child.pid)); os.rename(note + "~", note)
time.sleep(1000)
)", note());
  auto token = job.token;
  auto recorder = start(std::move(job));
  wait_for_file(note_path());
  runner_->stop(token, std::nullopt, State::cancelled, Reason::none);
  runner_->stop(token, std::nullopt, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
  EXPECT_FALSE(is_alive(noted_pid()));
  expect_no_job_files();
}

TEST_F(ProcessRunnerTest, SigtermIgnoredIsKilledAfterTheGrace) {
  auto job = function_job(R"(
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(note + "~", "w").write(str(os.getpid())); os.rename(note + "~", note)
while True: time.sleep(1000)
)", note());
  auto token = job.token;
  auto recorder = start(std::move(job));
  wait_for_file(note_path());
  runner_->stop(token, engine::RevisionKey{1, 1}, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
  EXPECT_FALSE(is_alive(noted_pid()));
}

TEST_F(ProcessRunnerTest, TimeLimit) {
  auto job = function_job("import time\ntime.sleep(1000)");
  job.limits.timeout = milliseconds{200};
  auto outcome = run(std::move(job));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::timeout);
  EXPECT_EQ(outcome.exception, "ran longer than its limit of 0.2 s");
}

TEST_F(ProcessRunnerTest, MemoryLimit) {
  auto job = function_job("blocks = []\nwhile True: blocks.append(bytearray(8 << 20))");
  job.limits.memory_bytes = 150'000'000;
  auto outcome = run(std::move(job));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::out_of_memory);
  EXPECT_THAT(outcome.exception, HasSubstr("limit 150 MB"));
  EXPECT_THAT(outcome.exception, HasSubstr("peak "));
}

TEST_F(ProcessRunnerTest, DaemonThatKeepsTheOutputOpenEndsWithTheStep) {
  auto outcome = run(function_job(R"(
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(note + "~", "w").write(str(os.getpid())); os.rename(note + "~", note)
        time.sleep(1000)
    os._exit(0)
while not os.path.exists(note): time.sleep(0.01)
response = 1
)", note()));
  EXPECT_EQ(outcome.state, State::finished) << outcome.exception;
  EXPECT_FALSE(is_alive(noted_pid()));
  expect_no_job_files();
}

TEST_F(ProcessRunnerTest, KilledKeeperIsALostJob) {
  auto job = function_job(R"(
import os, time
open(note + "~", "w").write(f"{os.getpid()} {os.getppid()}"); os.rename(note + "~", note)
time.sleep(1000)
)", note());
  auto recorder = start(std::move(job));
  wait_for_file(note_path());
  auto pids = read(note_path());
  auto keeper = std::stoi(pids.substr(pids.find(' ')));
  ::kill(keeper, SIGKILL);
  recorder->wait_end();
  auto outcome = recorder->outcome();
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::killed);
  EXPECT_TRUE(outcome.lost);
  EXPECT_TRUE(wait_for_death(std::stoi(pids)));
  expect_no_job_files();
  EXPECT_EQ(run(function_job("response = 1")).state, State::finished);
}

TEST_F(ProcessRunnerTest, JobOutlivesItsForkServer) {
  auto job = function_job(R"(
import os, time
open(note + "~", "w").write("x"); os.rename(note + "~", note)
while os.path.exists(note): time.sleep(0.01)
response = 1
print("done")
)", note());
  auto recorder = start(std::move(job));
  wait_for_file(note_path());
  auto server = pid_of("bare");
  ASSERT_GT(server, 0);
  ::kill(server, SIGKILL);
  EXPECT_EQ(run(function_job("response = 2")).state, State::finished);  // by the next fork server
  EXPECT_NE(pid_of("bare"), server);
  fs::remove(note_path());
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::finished) << recorder->outcome().exception;
  EXPECT_EQ(recorder->outcome().message, "done\n");
}

TEST_F(ProcessRunnerTest, ManyAtOnce) {
  std::vector<std::shared_ptr<Recorder>> recorders;
  for (int i = 0; i < 20; ++i) recorders.push_back(start(function_job("response = n * n\nprint(n)", {{"n", i}})));
  for (int i = 0; i < 20; ++i) {
    recorders[static_cast<std::size_t>(i)]->wait_end();
    EXPECT_EQ(recorders[static_cast<std::size_t>(i)]->outcome().message, std::to_string(i) + "\n");
  }
}

TEST_F(ProcessRunnerTest, StopBeforeTheForkServerIsReady) {
  auto job = function_job("import pandas\nresponse = 1");
  auto token = job.token;
  auto recorder = start(std::move(job));
  runner_->stop(token, std::nullopt, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
  expect_no_job_files();
}

TEST_F(ProcessRunnerTest, AnIdleForkServerIsLetGoAndTheNextJobStartsAnother) {
  shutdown();
  auto chosen = options();
  chosen.python.idle = milliseconds{1};
  start_runner(std::move(chosen));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(run(function_job("import json, numpy\nresponse = 1")).state, State::finished);
    wait_for_status([](const json::object& status) {
      const auto& scientific = status.at("scientific").get_object();
      return string_or(scientific, "state") == "cold" && !scientific.contains("pid");
    });
  }
}

TEST_F(ProcessRunnerTest, ShutdownEndsEverything) {
  auto job = function_job(R"(
import os, time
open(note + "~", "w").write(str(os.getpid())); os.rename(note + "~", note)
time.sleep(1000)
)", note());
  auto recorder = start(std::move(job));
  wait_for_file(note_path());
  shutdown();
  recorder->wait_end();
  EXPECT_TRUE(recorder->outcome().lost);
  EXPECT_EQ(recorder->outcome().reason, Reason::lost);
  EXPECT_FALSE(is_alive(noted_pid()));
  EXPECT_THAT(children_of(::getpid()), testing::IsEmpty());
  expect_no_job_files();
}

TEST_F(ProcessRunnerTest, UnknownOperationIsRefused) {
  auto job = function_job("");
  job.members[0].operation = "magic/wand";
  auto outcome = run(std::move(job));
  EXPECT_EQ(outcome.reason, Reason::refused);
  EXPECT_THAT(outcome.exception, HasSubstr("magic/wand"));
}

}  // namespace
}  // namespace lo::run
