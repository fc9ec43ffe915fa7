#include "base/current.h"

#include <gtest/gtest.h>

#include "base/named_thread.h"

namespace lo {
namespace {

TEST(CurrentTest, WhoHasAValueKeepsIt) {
  Current<const int> current(std::make_shared<const int>(1));
  auto before = current.get();
  current.set(std::make_shared<const int>(2));
  EXPECT_EQ(*before, 1);
  EXPECT_EQ(*current.get(), 2);
}

// For the thread sanitizer.
TEST(CurrentTest, IsReplacedWhileOthersRead) {
  constexpr int kTimes = 10'000;
  Current<const int> current(std::make_shared<const int>(0));
  NamedThread writer("writer", [&] {
    for (int i = 1; i <= kTimes; ++i) current.set(std::make_shared<const int>(i));
  });
  for (int last = 0; last < kTimes;) {
    auto now = *current.get();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace lo
