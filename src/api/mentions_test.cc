#include "api/mentions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> texts(std::string_view value) {
  std::vector<std::string> out;
  auto found = find_mentions(*parse_json(value), "/p");
  for (const auto& mention : found.value()) out.push_back(mention.text);
  return out;
}

TEST(Mentions, AreFoundAtAnyDepthOnceEach) {
  EXPECT_THAT(texts(R"({"a": "$x", "b": [{"c": "$y.key.key"}, "$x"], "d": "$$z", "e": "$w@3.k"})"),
              ElementsAre("x", "y", "z", "w@3"));
}

TEST(Mentions, OtherTextsAreNone) {
  EXPECT_THAT(texts(R"json(["\\$x", "#numpy.zeros(3)", "a $x", "", 3, null, "$clock", "$$clock.date"])json"), IsEmpty());
}

TEST(Mentions, CarryTheirPointer) {
  auto found = find_mentions(*parse_json(R"({"a/b": [0, "$x"]})"), "/functionParameters");
  EXPECT_EQ(found->front().pointer, "/functionParameters/a~1b/1");
}

TEST(Mentions, ADollarWithoutANameIsRefused) {
  for (auto text : {R"("$")", R"("$$")", R"("$a b")", R"("$.key")"}) {
    auto found = find_mentions(*parse_json(text), "/p");
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().fields.front().pointer, "/p");
    EXPECT_THAT(found.error().message, HasSubstr("backslash"));
  }
}

}  // namespace
}  // namespace lo::api
