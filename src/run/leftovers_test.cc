#include "run/leftovers.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "base/fd.h"
#include "run/environment.h"
#include "base/testing/temporary_folder.h"
#include "run/testing/waiting.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

TEST(ServerId, IsTheFoldersOwn) {
  TemporaryFolder one;
  TemporaryFolder two;
  EXPECT_EQ(server_id_of(one.path()).value(), server_id_of(one.path() / ".").value());
  EXPECT_NE(server_id_of(one.path()).value(), server_id_of(two.path()).value());
  EXPECT_FALSE(server_id_of(one.path() / "absent"));
}

class LeftoversTest : public testing::Test {
 protected:
  // Its mark can be seen when this returns: spawn() comes back some moments before the kernel shows the new environment.
  pid_t start_process(const std::string& mark) {
    auto up = folder_.path() / ("up-" + mark);
    auto pid = spawn({.argv = {"/bin/sh", "-c", ": > \"$0\"; exec /bin/sleep 1000", up.string()},
                      .environment = {mark},
                      .folder = "/",
                      .log = "/dev/null"});
    return pid && wait_for_path(up) ? *pid : 0;
  }

  TemporaryFolder folder_;
};

TEST_F(LeftoversTest, OwnProcessesAreKilledAndOthersAreNot) {
  auto ours = start_process(server_mark("id-1"));
  auto other = start_process(server_mark("id-12"));
  ASSERT_GT(ours, 0);
  ASSERT_GT(other, 0);
  clear_leftovers(folder_.path(), "id-1");
  int status = 0;
  EXPECT_EQ(::waitpid(ours, &status, 0), ours);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(::waitpid(other, &status, WNOHANG), 0);
  ::kill(other, SIGKILL);
  ::waitpid(other, &status, 0);
}

TEST_F(LeftoversTest, EnvironmentsOfNobodyAreRemoved) {
  for (const char* name : {"used", "unused/bin"}) fs::create_directories(folder_.path() / "environments" / name);
  remove_environments_but(folder_.path(), {"used", "gone"});
  EXPECT_TRUE(fs::exists(folder_.path() / "environments" / "used"));
  EXPECT_FALSE(fs::exists(folder_.path() / "environments" / "unused"));
  remove_environments_but(folder_.path() / "absent", {});
}

TEST_F(LeftoversTest, JobFoldersAreRemovedAndLogsAreNot) {
  for (const char* name : {"run/abc", "spark/tmp", "logs/1"}) fs::create_directories(folder_.path() / name);
  clear_leftovers(folder_.path(), "id");
  EXPECT_FALSE(fs::exists(folder_.path() / "run"));
  EXPECT_FALSE(fs::exists(folder_.path() / "spark"));
  EXPECT_TRUE(fs::exists(folder_.path() / "logs/1"));
}

TEST_F(LeftoversTest, EnvironmentsThatWereBeingMadeAreRemovedAndWholeOnesAreNot) {
  for (const char* name : {"environments/.making-x1/bin", "environments/abc/bin"}) fs::create_directories(folder_.path() / name);
  clear_leftovers(folder_.path(), "id");
  EXPECT_FALSE(fs::exists(folder_.path() / "environments/.making-x1"));
  EXPECT_TRUE(fs::exists(folder_.path() / "environments/abc/bin"));
}

// A note that names a folder which is not of this server, by damage or by malice, is not followed.
TEST_F(LeftoversTest, OnlyOwnControlGroupsAreSwept) {
  auto other = folder_.path() / "groups" / "other-id";
  fs::create_directories(other / "job");
  fs::create_directories(folder_.path() / "run");
  std::ofstream(folder_.path() / "run" / "cgroups") << other.string() << "\n";
  clear_leftovers(folder_.path(), "id");
  EXPECT_TRUE(fs::exists(other / "job"));
}

TEST_F(LeftoversTest, ScratchThatIsLockedOrYoungStays) {
  auto young = folder_.path() / "young";
  fs::create_directory(young);
  remove_abandoned_scratch(folder_.path());
  EXPECT_TRUE(fs::exists(young));
}

TEST(MemoryForJobs, LeavesAReserve) {
  auto machine = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  EXPECT_GT(memory_for_jobs(), 0);
  EXPECT_LT(memory_for_jobs(), machine);
}

}  // namespace
}  // namespace lo::run
