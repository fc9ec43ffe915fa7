#include "cli/contexts.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "base/testing/temporary_folder.h"

namespace lo::cli {
namespace {

using ::testing::HasSubstr;

class ContextsTest : public ::testing::Test {
 protected:
  // What is wrong with a file of this text.
  std::string refusal(const std::string& text) {
    std::ofstream(path_) << text;
    auto contexts = read_contexts(path_);
    EXPECT_FALSE(contexts) << text;
    return contexts ? "" : contexts.error().message;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "contexts.json";
};

TEST_F(ContextsTest, ComeBackAsTheyWereWritten) {
  EXPECT_EQ(read_contexts(path_).value(), Contexts());
  auto deep = folder_.path() / "a" / "b" / "contexts.json";
  Contexts contexts{.by_name = {{"lab", {.url = "https://lab.example.org", .token = "secret", .ca = "/etc/lab.pem"}}, {"other", {.url = "http://10.0.0.1:8000"}}},
                    .current = "lab"};
  ASSERT_TRUE(write_contexts(deep, contexts));
  EXPECT_EQ(read_contexts(deep).value(), contexts);
}

TEST_F(ContextsTest, OnlyTheUserMayReadThem) {
  std::ofstream(path_) << "old, and open to all";
  ASSERT_TRUE(write_contexts(path_, {}));
  struct stat about {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
}

TEST_F(ContextsTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal("{"), HasSubstr(path_.string()));
  EXPECT_THAT(refusal("{}"), HasSubstr("contexts"));
  EXPECT_THAT(refusal(R"({"contexts": {"lab": 3}})"), HasSubstr("\"lab\""));
  EXPECT_THAT(refusal(R"({"contexts": {"lab": {"url": "lab.example.org"}}})"), HasSubstr("lab.example.org"));
  EXPECT_THAT(refusal(R"({"current": "gone", "contexts": {}})"), HasSubstr("\"gone\""));
}

TEST(ServerUrlTest, LosesItsSlashes) {
  EXPECT_EQ(server_url("https://lab.example.org/").value(), "https://lab.example.org");
  EXPECT_EQ(server_url("http://127.0.0.1:8000").value(), "http://127.0.0.1:8000");
  EXPECT_EQ(server_url("https://example.org/lab//").value(), "https://example.org/lab");
}

TEST(ServerUrlTest, IsHttpWithNothingSecretInIt) {
  for (const auto* text : {"", "lab", "lab.example.org:8000", "ftp://lab.example.org", "https://", "https://ada:secret@lab.example.org", "https://lab.example.org?x=1",
                           "https://lab.example.org#x", "https://lab example.org"})
    EXPECT_FALSE(server_url(text)) << text;
}

}  // namespace
}  // namespace lo::cli
