#include "run/cgroup.h"

#include <gmock/gmock.h>

#include <unistd.h>

#include "base/id.h"

namespace lo::run {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kVersion1 =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:7 - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

TEST(ParseCgroups, FindsVersion1AndTheEmptyVersion2BesideIt) {
  EXPECT_THAT(parse_cgroups(kVersion1, "8:pids:/\n4:memory:/jobs/a1\n1:cpu:/\n0::/\n"),
              ElementsAre(CgroupMount{"", "/sys/fs/cgroup/unified"}, CgroupMount{"memory", "/sys/fs/cgroup/memory/jobs/a1"},
                          CgroupMount{"pids", "/sys/fs/cgroup/pids"}));
}

TEST(ParseCgroups, FindsVersion2) {
  EXPECT_THAT(parse_cgroups("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n", "0::/user.slice/a.service\n"),
              ElementsAre(CgroupMount{"", "/sys/fs/cgroup/user.slice/a.service"}));
}

TEST(ParseCgroups, TakesControllersThatAreMountedTogether) {
  EXPECT_THAT(parse_cgroups("30 23 0:26 / /cg/mp rw - cgroup cgroup rw,memory,pids\n", "3:memory,pids:/x\n"),
              ElementsAre(CgroupMount{"memory", "/cg/mp/x"}, CgroupMount{"pids", "/cg/mp/x"}));
}

TEST(ParseCgroups, InAContainerTheMountShowsItsOwnPart) {
  EXPECT_THAT(parse_cgroups("35 31 0:32 /docker/c1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "4:memory:/docker/c1/a\n"),
              ElementsAre(CgroupMount{"memory", "/sys/fs/cgroup/memory/a"}));
}

TEST(ParseCgroups, NoneOrNonsenseGivesNone) {
  EXPECT_THAT(parse_cgroups("", ""), IsEmpty());
  EXPECT_THAT(parse_cgroups("what - is\nthis", "a:b\n::\n"), IsEmpty());
}

// On a machine without control groups for us, these show that nothing is made and nothing fails.
class JobCgroupTest : public testing::Test {
 protected:
  ~JobCgroupTest() override { cgroups_.remove_roots(); }

  // A group in each hierarchy.
  std::vector<std::filesystem::path> make(const std::string& name) const {
    std::vector<std::filesystem::path> folders;
    for (const auto& root : cgroups_.roots()) {
      folders.push_back(root / name);
      std::filesystem::create_directory(folders.back());
    }
    return folders;
  }

  const std::string id_ = "test-" + make_token();
  const Cgroups cgroups_ = Cgroups::detect(id_);
};

TEST_F(JobCgroupTest, IsRemoved) {
  auto folders = make("job");
  for (const auto& folder : folders) EXPECT_TRUE(std::filesystem::exists(folder / "cgroup.procs"));
  JobCgroup group(folders);
  EXPECT_FALSE(group.out_of_memory());
  EXPECT_TRUE(group.remove());
  for (const auto& folder : folders) EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(JobCgroupTest, SweepClearsWhatIsLeft) {
  make("left");
  for (const auto& root : cgroups_.roots()) {
    sweep_cgroups(root);
    EXPECT_FALSE(std::filesystem::exists(root / "left"));
  }
}

}  // namespace
}  // namespace lo::run
