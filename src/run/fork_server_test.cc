// The fork server's owner against fork servers that misbehave: small programs in place of the Python runtime.
#include "run/fork_server.h"

#include <gmock/gmock.h>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ForkServerTest : public RunnerFixture {
 protected:
  // A runner whose interpreter is this shell script; it is given the arguments of the fork server.
  void start_with(const std::string& script, std::chrono::milliseconds start_timeout = std::chrono::seconds{20}) {
    auto program = folder_.path() / "program";
    std::ofstream(program) << "#!/bin/sh\n" << script;
    fs::permissions(program, fs::perms::owner_all);
    auto chosen = options();
    chosen.python.python = program;
    chosen.python.start_timeout = start_timeout;
    start_runner(std::move(chosen));
  }

  std::string count_file() const { return (folder_.path() / "count").string(); }
};

TEST_F(ForkServerTest, ThatEndsAtOnceIsBrokenAfterThreeStarts) {
  start_with("echo x >> " + count_file() + "\nexit 1\n");
  auto outcome = run(function_job("response = 1"));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::error);
  EXPECT_THAT(outcome.exception, HasSubstr("bare fork server does not start"));
  EXPECT_THAT(outcome.exception, HasSubstr("exit status 1"));
  EXPECT_EQ(state_of("bare"), "broken");
  EXPECT_EQ(read(count_file()), "x\nx\nx\n");
  expect_no_job_files();
  EXPECT_THAT(run(function_job("response = 1")).exception, HasSubstr("does not start"));  // at once, without another start
  EXPECT_EQ(read(count_file()), "x\nx\nx\n");
}

TEST_F(ForkServerTest, ThatHangsAtStartIsKilled) {
  start_with("echo x >> " + count_file() + "\nexec sleep 1000\n", std::chrono::milliseconds{200});
  auto outcome = run(function_job("response = 1"));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_THAT(outcome.exception, HasSubstr("signal 9"));
  EXPECT_THAT(children_of(::getpid()), testing::IsEmpty());
}

TEST_F(ForkServerTest, ThatDoesNotExistIsBroken) {
  auto chosen = options();
  chosen.python.python = folder_.path() / "absent";
  start_runner(std::move(chosen));
  EXPECT_THAT(run(function_job("response = 1")).exception, HasSubstr("No such file"));
}

TEST_F(ForkServerTest, WhatItSaysGoesToItsLog) {
  start_with("echo 'cannot serve today' >&2; exit 1\n");
  run(function_job("response = 1"));
  EXPECT_THAT(read(data() / "logs" / "fork-server-bare.log"), HasSubstr("cannot serve today"));
}

TEST_F(ForkServerTest, HasABuiltEnvironmentAndOnlyItsDescriptors) {
  ASSERT_EQ(::setenv("ORCHESTRA_TEST_LEAK", "1", 1), 0);
  start_with("env; echo \"arguments: $*\"; ls /proc/$$/fd | tr '\\n' ' '; exit 1\n");
  run(function_job("response = 1"));
  ::unsetenv("ORCHESTRA_TEST_LEAK");
  auto said = read(data() / "logs" / "fork-server-bare.log");
  EXPECT_THAT(said, testing::Not(HasSubstr("ORCHESTRA_TEST_LEAK")));
  EXPECT_THAT(said, HasSubstr("OPENBLAS_NUM_THREADS=1\n"));
  EXPECT_THAT(said, HasSubstr("LANG=C.UTF-8\n"));
  EXPECT_THAT(said, HasSubstr("--kind bare"));
  // 10: the script, as the shell reads it
  EXPECT_THAT(said, testing::ContainsRegex("\n0 1 (10 )?2 3 "));
}

TEST_F(ForkServerTest, StopsWhileItStarts) {
  start_with("exec sleep 1000\n");
  auto recorder = start(function_job("response = 1"));
  shutdown();
  recorder->wait_end();
  EXPECT_TRUE(recorder->outcome().lost);
  EXPECT_THAT(children_of(::getpid()), testing::IsEmpty());
}

}  // namespace
}  // namespace lo::run
