#include "serve/reread.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/temporary_folder.h"

namespace lo::serve {
namespace {

class RereadTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_.path() / name) << text; }

  RereadFiles files() {
    return {"they", {folder_.path() / "one", folder_.path() / "two"}, [this] {
              ++reads_;
              return answer_;
            }};
  }

  TemporaryFolder folder_;
  int reads_ = 0;
  Status answer_;
};

TEST_F(RereadTest, OnlyWhatChangedIsReadAgain) {
  write("one", "a");
  write("two", "b");
  auto all = files();
  all.check();
  EXPECT_EQ(reads_, 0);
  write("two", "longer");
  all.check();
  all.check();
  EXPECT_EQ(reads_, 1);
  write("one", "c of another length");
  all.check();
  EXPECT_EQ(reads_, 2);
}

TEST_F(RereadTest, AnotherFileOfEqualSizeInItsPlaceIsAChange) {
  write("one", "a");
  auto all = files();
  write("new", "b");
  std::filesystem::rename(folder_.path() / "new", folder_.path() / "one");
  all.check();
  EXPECT_EQ(reads_, 1);
}

TEST_F(RereadTest, WhatCannotBeReadIsTriedAtTheNextChangeOnly) {
  write("one", "a");
  auto all = files();
  answer_ = fail(Code::io, "unreadable");
  std::filesystem::remove(folder_.path() / "one");
  all.check();
  all.check();
  EXPECT_EQ(reads_, 1);
  answer_ = {};
  write("one", "a");
  all.check();
  EXPECT_EQ(reads_, 2);
}

}  // namespace
}  // namespace lo::serve
