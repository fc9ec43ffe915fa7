#include "base/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/id.h"

namespace lo {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class DataFolderTest : public testing::Test {
 protected:
  ~DataFolderTest() override { std::filesystem::remove_all(path); }
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("folder-" + make_token());
};

TEST_F(DataFolderTest, IsMadeForItsOwnerAlone) {
  auto folder = DataFolder::hold(path / "deep");
  ASSERT_TRUE(folder);
  struct stat info {};
  ASSERT_EQ(::stat((path / "deep").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(DataFolderTest, IsHeldByOneAndNamesTheHolder) {
  auto first = DataFolder::hold(path);
  ASSERT_TRUE(first->announce("http://127.0.0.1:8000"));
  auto second = DataFolder::hold(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
  EXPECT_THAT(second.error().message, EndsWith(" at http://127.0.0.1:8000"));
}

TEST_F(DataFolderTest, IsFreeAgainWhenTheHolderIsGone) {
  { auto first = DataFolder::hold(path); }
  EXPECT_TRUE(DataFolder::hold(path));
}

TEST_F(DataFolderTest, CannotBeMadeBelowAFile) {
  std::filesystem::create_directories(path);
  ASSERT_TRUE(write_whole_file(path / "file", "x"));
  auto folder = DataFolder::hold(path / "file" / "below");
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("file/below"));
}

}  // namespace
}  // namespace lo
