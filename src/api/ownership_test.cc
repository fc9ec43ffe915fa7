#include "api/ownership.h"

#include <gmock/gmock.h>

namespace lo::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;

json::object body(std::string_view text) { return *parse_json_object(text); }

TEST(OwnershipTest, AStepIsTheTokens) {
  for (const auto* text : {"{}", R"({"labels": {}})", R"({"labels": {"owner": "ada"}})"}) {
    auto own = body(text);
    ASSERT_TRUE(set_owner(own, "ada"));
    EXPECT_EQ(own, body(R"({"labels": {"owner": "ada"}})")) << text;
  }
  auto other = body(R"({"labels": {"team": "x"}, "name": "a"})");
  ASSERT_TRUE(set_owner(other, "ada"));
  EXPECT_EQ(other, body(R"({"labels": {"team": "x", "owner": "ada"}, "name": "a"})"));
}

TEST(OwnershipTest, NobodyMakesAnothersSteps) {
  for (const auto* text : {R"({"labels": {"owner": "bob"}})", R"({"labels": {"owner": "Ada"}})", R"({"labels": {"owner": 1}})", R"({"labels": {"owner": ""}})"}) {
    auto foreign = body(text);
    auto refused = set_owner(foreign, "ada");
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Code::forbidden);
    ASSERT_EQ(refused.error().fields.size(), 1U);
    EXPECT_EQ(refused.error().fields[0].pointer, "/labels/owner");
    EXPECT_THAT(refused.error().fields[0].detail, HasSubstr("ada"));
    EXPECT_EQ(foreign, body(text));
  }
  EXPECT_THAT(check_owner(body(R"({"labels": {"owner": "bob"}})"), "ada").error().fields[0].detail, AllOf(HasSubstr("\"ada\""), HasSubstr("\"bob\"")));
}

TEST(OwnershipTest, WithoutTokensAnyLabelGoes) {
  auto anybodys = body(R"({"labels": {"owner": "bob"}})");
  ASSERT_TRUE(set_owner(anybodys, ""));
  EXPECT_EQ(anybodys, body(R"({"labels": {"owner": "bob"}})"));
  auto nobodys = body("{}");
  ASSERT_TRUE(set_owner(nobodys, ""));
  EXPECT_EQ(nobodys, body("{}"));
}

TEST(OwnershipTest, WhatIsNoObjectIsLeftToWhoeverReadsIt) {
  auto wrong = body(R"({"labels": "ada"})");
  ASSERT_TRUE(set_owner(wrong, "ada"));
  EXPECT_EQ(wrong, body(R"({"labels": "ada"})"));
}

}  // namespace
}  // namespace lo::api
