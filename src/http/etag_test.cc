#include "http/etag.h"

#include <gmock/gmock.h>

namespace lo::http {
namespace {

Response answered(std::string_view if_none_match, Response response) {
  Request request;
  if (!if_none_match.empty()) request.headers = {{"if-none-match", std::string(if_none_match)}};
  return with_etag(request, std::move(response));
}

TEST(Etag, EqualBodiesHaveEqualTags) {
  EXPECT_EQ(etag_of("a"), etag_of("a"));
  EXPECT_NE(etag_of("a"), etag_of("b"));
  EXPECT_THAT(etag_of(""), testing::MatchesRegex("\"[0-9a-f]+\""));
  EXPECT_EQ(etag_of("").size(), 34u);
}

TEST(Etag, MatchesListsOfTags) {
  for (const auto* header : {"\"a\"", "*", "\"b\", \"a\"", "\"b\",\"a\",\"c\"", " \"a\" ", "\"x,y\" , \"a\""}) {
    EXPECT_TRUE(etag_matches(header, "\"a\"", Comparison::weak)) << header;
    EXPECT_TRUE(etag_matches(header, "\"a\"", Comparison::strong)) << header;
  }
  for (const auto* header : {"", "a", "\"A\"", "\"b\"", "\"a", "W/", "W/\"b\"", "x \"a\"", "\"x,\"a\"\""})
    EXPECT_FALSE(etag_matches(header, "\"a\"", Comparison::weak)) << header;
  EXPECT_TRUE(etag_matches("W/\"a\"", "\"a\"", Comparison::weak));
  EXPECT_FALSE(etag_matches("W/\"a\"", "\"a\"", Comparison::strong));
}

TEST(Etag, AKnownBodyIsNotSentAgain) {
  auto first = answered("", json_response(200, {{"a", 1}}));
  EXPECT_EQ(first.status, 200u);
  auto tag = first.headers.back();
  EXPECT_EQ(tag.first, "ETag");
  auto again = answered(tag.second, json_response(200, {{"a", 1}}));
  EXPECT_EQ(again.status, 304u);
  EXPECT_EQ(std::get<std::string>(again.body), "");
  EXPECT_THAT(again.headers, testing::ElementsAre(tag));
  EXPECT_EQ(answered(tag.second, json_response(200, {{"a", 2}})).status, 200u);
}

TEST(Etag, KeepsTheHandlersTagAndLeavesOthersAlone) {
  Response tagged{.status = 200, .headers = {{"ETag", "\"mine\""}}, .body = std::string("x")};
  EXPECT_EQ(answered("\"mine\"", std::move(tagged)).status, 304u);
  EXPECT_EQ(answered("*", json_response(404, {})).status, 404u);
}

TEST(Etag, StrongTagsOfAList) {
  EXPECT_EQ(strong_tags(R"( "a", W/"b","c" )"), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(strong_tags(R"("a", b, "c")"), std::vector<std::string>{"a"});
  EXPECT_TRUE(strong_tags("*").empty());
  EXPECT_TRUE(strong_tags(R"("open)").empty());
}

}  // namespace
}  // namespace lo::http
