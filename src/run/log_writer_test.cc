#include "run/log_writer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/testing/temporary_folder.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_below(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
  return count;
}

// `count` bytes that differ enough to show a shift: byte n is a letter derived from n.
std::string pattern(std::size_t count) {
  std::string text;
  for (std::size_t n = 0; n < count; ++n) text += static_cast<char>('a' + (n * 7 + n / 26) % 26);
  return text;
}

class LogWriterTest : public testing::Test {
 protected:
  fs::path path(int revision = 1) const { return log_path(folder_.path(), {12, revision}, 3); }
  TemporaryFolder folder_;
};

TEST_F(LogWriterTest, PathNamesStepRevisionAndAttempt) {
  EXPECT_EQ(log_path("/data", {12, 2}, 3), "/data/logs/12/2-3.log");
}

TEST_F(LogWriterTest, AppendsAsItComes) {
  LogWriter log({path()}, 1000);
  ASSERT_TRUE(log.append(std::string_view("one\n")));
  EXPECT_EQ(read(path()), "one\n");
  ASSERT_TRUE(log.append(std::string_view("two\n")));
  EXPECT_EQ(read(path()), "one\ntwo\n");
  ASSERT_TRUE(log.finish());
  EXPECT_EQ(read(path()), "one\ntwo\n");
}

TEST_F(LogWriterTest, MakesNoFileForSilence) {
  {
    LogWriter log({path()}, 1000);
    ASSERT_TRUE(log.finish());
  }
  EXPECT_FALSE(fs::exists(path()));
}

// Every way the end can fall: within the limit, at it, just beyond, the ring partly and wholly filled, wrapped many times.
TEST_F(LogWriterTest, KeepsFirstAndLastHalf) {
  for (std::size_t total : {99U, 100U, 101U, 120U, 149U, 150U, 151U, 200U, 275U, 1000U})
    for (std::size_t chunk : {1U, 7U, 50U, 64U, 1000U}) {
      auto text = pattern(total);
      LogWriter log({path()}, 100);
      for (std::size_t at = 0; at < total; at += chunk) ASSERT_TRUE(log.append(std::string_view(text).substr(at, chunk)));
      ASSERT_TRUE(log.finish());
      auto expected = total <= 100 ? text
                                   : text.substr(0, 50) + "\n... " + std::to_string(total - 100) + " bytes left out ...\n" +
                                         text.substr(total - 50);
      EXPECT_EQ(read(path()), expected) << total << " bytes in chunks of " << chunk;
      EXPECT_EQ(files_below(folder_.path()), 1U);
    }
}

TEST_F(LogWriterTest, SharesOneFileAmongMembers) {
  LogWriter log({path(1), path(2)}, 100);
  ASSERT_TRUE(log.append(std::string_view("shared")));
  EXPECT_EQ(read(path(2)), "shared");
  ASSERT_TRUE(log.append(pattern(500)));
  ASSERT_TRUE(log.finish());
  EXPECT_EQ(read(path(2)), read(path(1)));
  EXPECT_TRUE(fs::equivalent(path(1), path(2)));
}

TEST_F(LogWriterTest, LeavesNothingBesideTheLogWhenItIsDropped) {
  {
    LogWriter log({path()}, 100);
    ASSERT_TRUE(log.append(pattern(500)));
  }
  EXPECT_EQ(files_below(folder_.path()), 1U);
}

TEST_F(LogWriterTest, DropsTheRestWhenTheFileCannotBeMade) {
  std::ofstream(folder_.path() / "logs") << "in the way";
  LogWriter log({path()}, 1000);
  EXPECT_FALSE(log.append(std::string_view("lost")));
  EXPECT_TRUE(log.append(std::string_view(" words")));
}

}  // namespace
}  // namespace lo::run
