#include "run/ray_cluster.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/testing/temporary_folder.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(Runner, HasOneOfTwoForms) {
  EXPECT_EQ(is_runner("local"), "");
  EXPECT_EQ(is_runner("ray:head.example.org:6379"), "");
  EXPECT_EQ(is_runner("ray:[fd00::1]:6379"), "");
  for (const char* wrong : {"", "ray", "ray:", "ray:head", "ray:head:port", "ray://head:10001", "spark:head:1", "ray:head:6379 --x"})
    EXPECT_THAT(is_runner(wrong), HasSubstr("ray:HOST:PORT")) << wrong;
}

TEST(Runner, HasAnAddressIfItIsRay) {
  EXPECT_EQ(ray_address("local"), "");
  EXPECT_EQ(ray_address("ray:head:6379"), "head:6379");
}

// A program in place of the interpreter.
Result<RayCluster> look_with(const std::string& script) {
  TemporaryFolder folder;
  auto program = folder.path() / "python";
  std::ofstream(program) << "#!/bin/sh\n" << script;
  fs::permissions(program, fs::perms::owner_all);
  return look_at_ray({.address = "head:6379", .python = program, .environment = {"TOKEN=sesame"}}, "/runtime");
}

TEST(RayCluster, IsTheLastLineThatIsJson) {
  auto cluster = look_with(R"(echo '{"refused": "old"}'; echo '{"ray": "2.60.0", "nodes": 3, "cpus": 12.5, "gpus": 1, "memory": 4000000000}'; echo 'Ray prints' >&2)");
  ASSERT_TRUE(cluster) << cluster.error().message;
  EXPECT_EQ(cluster->version, "2.60.0");
  EXPECT_EQ(cluster->nodes, 3);
  EXPECT_EQ(cluster->cpus, 12.5);
  EXPECT_EQ(cluster->gpus, 1);
  EXPECT_EQ(cluster->memory, 4'000'000'000);
}

TEST(RayCluster, IsAskedWithItsEnvironmentAlone) {
  auto cluster = look_with(R"(printf '{"refused": "%s %s %s"}' "$TOKEN" "$HOME" "$*"; exit 5)");
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().message, "sesame  -I /runtime/orchestra_ray_client.py --address head:6379 --check");
}

TEST(RayCluster, ThatWillNotDoIsToldFromOneThatDoesNotAnswer) {
  EXPECT_EQ(look_with(R"(echo '{"refused": "no token"}'; exit 5)").error().code, Code::unacceptable);
  EXPECT_EQ(look_with(R"(echo '{"unreachable": "nothing answers"}'; exit 6)").error().code, Code::unavailable);
}

TEST(RayCluster, WhoeverDiesHasNotAnswered) {
  auto cluster = look_with("kill -KILL $$");
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().code, Code::unavailable);
  EXPECT_THAT(cluster.error().message, HasSubstr("by a signal"));
}

TEST(RayCluster, WithoutAnEnvironmentIsRefused) {
  auto cluster = look_at_ray({.address = "head:6379", .python = "/nowhere/python", .environment = {}}, "/runtime");
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().code, Code::unacceptable);
  EXPECT_THAT(cluster.error().message, HasSubstr("./orchestra environment ray"));
}

}  // namespace
}  // namespace lo::run
