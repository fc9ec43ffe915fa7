#include "http/target.h"

#include <gmock/gmock.h>

namespace lo::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(SplitTarget, TakesTheFormsOfARequestLine) {
  auto origin = split_target("/a/b?x=1?y");
  ASSERT_TRUE(origin.has_value());
  EXPECT_EQ(origin->path, "/a/b");
  EXPECT_EQ(origin->query, "x=1?y");
  EXPECT_EQ(origin->authority, "");
  auto absolute = split_target("HTTP://localhost:8000?x");
  ASSERT_TRUE(absolute.has_value());
  EXPECT_EQ(absolute->path, "/");
  EXPECT_EQ(absolute->query, "x");
  EXPECT_EQ(absolute->authority, "localhost:8000");
  EXPECT_EQ(split_target("*")->path, "*");
}

TEST(SplitTarget, RefusesTheRest) {
  for (const auto* target : {"", "a", "a/b", "?x", "/a#b", "/a?b#c", "/a\\b", "\\a", "**", "*/a", "https://localhost/",
                             "http://", "http:///a", "http:/a", "file:///etc/passwd"}) {
    auto split = split_target(target);
    ASSERT_FALSE(split.has_value()) << target;
    EXPECT_EQ(split.error().code, Code::malformed);
  }
}

TEST(SplitPath, DecodesAfterSplitting) {
  EXPECT_THAT(*split_path("/"), IsEmpty());
  EXPECT_THAT(*split_path("/a/b%20c"), ElementsAre("a", "b c"));
  EXPECT_THAT(*split_path("/%C3%A9"), ElementsAre("é"));
  EXPECT_THAT(*split_path("/a+b"), ElementsAre("a+b"));
  EXPECT_THAT(*split_path("/%252e%252e"), ElementsAre("%2e%2e")) << "decoded once";
  EXPECT_THAT(*split_path("/..a/a../..."), ElementsAre("..a", "a..", "..."));
}

struct BadPath {
  const char* path;
  const char* why;
};

class SplitPathRefuses : public testing::TestWithParam<BadPath> {};

TEST_P(SplitPathRefuses, WithTheReason) {
  auto split = split_path(GetParam().path);
  ASSERT_FALSE(split.has_value()) << GetParam().path;
  EXPECT_EQ(split.error().code, Code::malformed);
  EXPECT_THAT(split.error().message, testing::HasSubstr(GetParam().why)) << GetParam().path;
}

INSTANTIATE_TEST_SUITE_P(Table, SplitPathRefuses,
                         testing::Values(BadPath{"", "slash"}, BadPath{"a", "slash"}, BadPath{"//", "empty"},
                                         BadPath{"/a/", "empty"}, BadPath{"/a//b", "empty"}, BadPath{"/.", "refused"},
                                         BadPath{"/..", "refused"}, BadPath{"/a/../b", "refused"}, BadPath{"/%2e", "refused"},
                                         BadPath{"/%2E%2e", "refused"}, BadPath{"/.%2e", "refused"}, BadPath{"/a%2fb", "slash"},
                                         BadPath{"/..%2F..", "slash"}, BadPath{"/a%5cb", "backslash"},
                                         BadPath{"/a\\b", "backslash"}, BadPath{"/%00", "NUL"}, BadPath{"/a%00.csv", "NUL"},
                                         BadPath{"/%0a", "control"}, BadPath{"/%0D%0A", "control"}, BadPath{"/%7f", "control"},
                                         BadPath{"/%1b[31m", "control"}, BadPath{"/%", "escape"}, BadPath{"/%4", "escape"},
                                         BadPath{"/%zz", "escape"}, BadPath{"/%u0041", "escape"}, BadPath{"/%c0%ae", "UTF-8"},
                                         BadPath{"/%ff", "UTF-8"}, BadPath{"/%ed%a0%80", "UTF-8"}, BadPath{"/\xff", "UTF-8"}));

TEST(ParseQuery, DecodesPairsInOrder) {
  EXPECT_THAT(*parse_query(""), IsEmpty());
  EXPECT_THAT(*parse_query("query={\"a\":%201}&limit=20&skip=0"),
              ElementsAre(Pair("query", "{\"a\": 1}"), Pair("limit", "20"), Pair("skip", "0")));
  EXPECT_THAT(*parse_query("a&b=&=c&&a=1=2&x%3D=%26"),
              ElementsAre(Pair("a", ""), Pair("b", ""), Pair("", "c"), Pair("a", "1=2"), Pair("x=", "&")));
  EXPECT_THAT(*parse_query("q=a+b%2Bc"), ElementsAre(Pair("q", "a b+c")));
  EXPECT_THAT(*parse_query("q=../%2e%2e/"), ElementsAre(Pair("q", "../../"))) << "a value is no path";
}

TEST(ParseQuery, RefusesWhatIsNoText) {
  for (const auto* query : {"a=%", "%zz=1", "a=%0", "a=%00", "%00=a", "a=%ff", "a=\xc3"}) {
    auto parsed = parse_query(query);
    ASSERT_FALSE(parsed.has_value()) << query;
    EXPECT_EQ(parsed.error().code, Code::malformed);
  }
}

}  // namespace
}  // namespace lo::http
