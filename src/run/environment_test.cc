#include "run/environment.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/wait.h>

#include <array>
#include <boost/asio/io_context.hpp>

#include "base/fd.h"
#include "base/testing/temporary_folder.h"

namespace lo::run {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using testing::StartsWith;

class EnvironmentTest : public testing::Test {
 protected:
  RunContext context() {
    RunOptions options;
    options.executor = io_.get_executor();
    options.data = folder_.path();
    options.python.runtime = "/home/runtime/python";
    options.python.python = "/env/python/bin/python";
    options.python.spark_python = "/env/spark/bin/python";
    options.python.java_home = "/opt/java";
    return {std::move(options), Cgroups()};
  }

  TemporaryFolder folder_;
  asio::io_context io_;
};

TEST_F(EnvironmentTest, EachKindHasItsInterpreter) {
  auto shared = context();
  EXPECT_THAT(fork_server_command(shared, WorkerKind::scientific, "/env/python/bin/python", "scientific").argv,
              ElementsAre("/env/python/bin/python", "-I", "/home/runtime/python/orchestra_forkserver.py", "--kind", "scientific"));
  EXPECT_EQ(fork_server_command(shared, WorkerKind::spark, "/env/spark/bin/python", "spark").argv.front(), "/env/spark/bin/python");
}

TEST_F(EnvironmentTest, TheSecretIsNotOnTheCommandLine) {
  auto shared = context();
  auto command = spark_server_command(shared, 15002, "sesame");
  EXPECT_THAT(command.argv, Not(Contains(testing::HasSubstr("sesame"))));
  EXPECT_THAT(command.environment, Contains("SPARK_CONNECT_AUTHENTICATE_TOKEN=sesame"));
  EXPECT_THAT(command.environment, Contains("JAVA_HOME=/opt/java"));
  EXPECT_THAT(command.environment, Contains(StartsWith("ORCHESTRA_SERVER=")));
}

// With real processes: what the death of the server does to the Spark server.
TEST_F(EnvironmentTest, GuardKillsTheGroupWhenItsPipeCloses) {
  auto shared = context();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  auto guarded = spawn({.argv = {"/bin/sh", "-c", "sleep 1000; true"}, .environment = {}, .folder = "/", .log = "/dev/null"});
  ASSERT_TRUE(guarded);
  auto command = guard_command(shared, *guarded);
  command.descriptors = {{reading.get(), 3}};
  auto guard = spawn(command);
  ASSERT_TRUE(guard);
  int status = 0;
  EXPECT_EQ(::waitpid(*guarded, &status, WNOHANG), 0);
  writing.reset();
  EXPECT_EQ(::waitpid(*guarded, &status, 0), *guarded);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(::waitpid(*guard, &status, 0), *guard);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace lo::run
