#include "base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace lo {
namespace {

int open_something() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFdTest, ClosesAtTheEnd) {
  int fd = -1;
  {
    UniqueFd owner(open_something());
    fd = owner.get();
    ASSERT_TRUE(owner);
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFdTest, MovesAndReleases) {
  UniqueFd first(open_something());
  auto fd = first.get();
  UniqueFd second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what is left is the point
  EXPECT_EQ(second.release(), fd);
  EXPECT_TRUE(is_open(fd));
  UniqueFd again(fd);
  again.reset();
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFdTest, AssignmentClosesWhatWasHeld) {
  UniqueFd target(open_something());
  auto old = target.get();
  auto fresh = open_something();
  target = UniqueFd(fresh);
  EXPECT_EQ(target.get(), fresh);
  EXPECT_FALSE(is_open(old));
}

}  // namespace
}  // namespace lo
