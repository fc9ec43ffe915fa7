#include "serve/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace lo::serve {
namespace {

TEST(OpenFiles, AreRaisedToTheHardLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_open_files(), before.rlim_max);
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  EXPECT_EQ(now.rlim_cur, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(OpenFiles, ConnectionsLeaveRoomForEverythingElse) {
  EXPECT_EQ(connections_within(20'000), 17'500U);
  EXPECT_EQ(connections_within(1'024), 512U);
  EXPECT_EQ(connections_within(300), 64U);
  EXPECT_EQ(connections_within(std::size_t{1} << 30), 65'536U);
}

}  // namespace
}  // namespace lo::serve
