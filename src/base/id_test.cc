#include "base/id.h"

#include <gmock/gmock.h>

#include <set>
#include <vector>

namespace lo {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string refusal(std::string_view name) {
  auto status = check_name(name, "/datasetName");
  if (status) return "accepted";
  EXPECT_EQ(status.error().code, Code::unacceptable);
  EXPECT_EQ(status.error().fields.at(0).pointer, "/datasetName");
  EXPECT_EQ(status.error().fields.at(0).detail, status.error().message);
  return status.error().message;
}

TEST(TokenTest, Is32HexadecimalDigitsAndNeverTheSame) {
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) {
    auto token = make_token();
    EXPECT_THAT(token, MatchesRegex("[0-9a-f]{32}"));
    EXPECT_TRUE(tokens.insert(token).second);
  }
}

TEST(UuidTest, HasVersionAndVariant) {
  for (int i = 0; i < 100; ++i)
    EXPECT_THAT(make_uuid(), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(CheckNameTest, AcceptsLettersDigitsUnderscoreAndDash) {
  for (const auto* name : {"a", "Z", "0", "_", "-", "titanic_training-2", "streams"})
    EXPECT_TRUE(check_name(name, "/name")) << name;
  EXPECT_TRUE(check_name(std::string(128, 'x'), "/name"));
}

TEST(CheckNameTest, RefusesAndNamesTheValue) {
  EXPECT_EQ(refusal(""), "the name \"\" is empty");
  EXPECT_EQ(refusal("stream"), "the name \"stream\" is reserved");
  EXPECT_EQ(refusal("clock"), "the name \"clock\" is reserved");
  EXPECT_THAT(refusal(std::string(129, 'x')), HasSubstr("has 129 characters, at most 128"));
  for (const auto* name : {"..", "a/b", "a b", "a.b", "$a", "#a", "a\\b", "größe", "a;b", "%2e"})
    EXPECT_THAT(refusal(name), HasSubstr("may hold only letters, digits, '_' and '-'")) << name;
}

TEST(CheckNameTest, MessageIsFitToBeShown) {
  EXPECT_THAT(refusal(std::string_view("a\0b", 3)), HasSubstr("\"a\\x00b\""));
  EXPECT_THAT(refusal("größe"), HasSubstr("\"größe\""));
  EXPECT_THAT(refusal("\xff"), HasSubstr("\"\xef\xbf\xbd\""));
  EXPECT_LT(refusal(std::string(1'000'000, '/')).size(), 300U);
}

TEST(EditDistanceTest, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
}

TEST(NearestTest, FindsTheNearestOrNothing) {
  std::vector<std::string> words{"datasetName", "datasetURI", "types"};
  EXPECT_EQ(nearest("datasetname", words), "datasetName");
  EXPECT_EQ(nearest("dataseturl", words), "datasetURI");
  EXPECT_EQ(nearest("tpyes", words), "types");
  EXPECT_EQ(nearest("modelName", std::vector<std::string>{"limit"}), "");
  EXPECT_EQ(nearest("x", std::vector<std::string>{}), "");
  EXPECT_EQ(nearest(std::string(10'000'000, 'x'), words), "");  // without comparing letter by letter
}

}  // namespace
}  // namespace lo
