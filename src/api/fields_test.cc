#include "api/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

json::object body(std::string_view text) { return *parse_json_object(text); }

std::vector<std::string> pointers(const Error& error) {
  std::vector<std::string> out;
  for (const auto& field : error.fields) out.push_back(field.pointer);
  return out;
}

TEST(Fields, ReadsWhatIsThere) {
  auto object = body(R"({"name": "a", "text": "t", "list": ["x", "y"], "object": {"k": 1}, "nothing": null})");
  Fields fields(object);
  EXPECT_EQ(fields.name("name"), "a");
  EXPECT_EQ(fields.text("text"), "t");
  EXPECT_THAT(fields.texts("list"), ElementsAre("x", "y"));
  EXPECT_EQ(fields.object("object").at("k"), 1);
  EXPECT_EQ(fields.optional_text("nothing"), std::nullopt);
  EXPECT_FALSE(fields.has("nothing"));
  EXPECT_TRUE(fields.finish());
}

TEST(Fields, GathersEverythingThatIsWrong) {
  auto object = body(R"({"name": "a/b", "list": ["x", 2], "object": [], "flag": "true", "timeout": 0, "labels": {"k": 1}})");
  Fields fields(object);
  fields.name("name");
  fields.text("text");
  fields.texts("list");
  fields.object("object");
  fields.optional_flag("flag");
  auto status = fields.finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::unacceptable);
  EXPECT_THAT(pointers(status.error()),
              ElementsAre("/name", "/text", "/list/1", "/object", "/flag", "/timeout", "/labels/k"));
}

TEST(Fields, NamesTheNearestOfAnUnknownMember) {
  auto object = body(R"({"modelingCod": "x"})");
  Fields fields(object);
  fields.optional_text("modelingCode");
  EXPECT_THAT(fields.finish().error().message, HasSubstr("did you mean \"modelingCode\"?"));
}

TEST(Fields, WhatBelongsToStepsIsUnknownElsewhere) {
  auto object = body(R"({"name": "a", "retry": {}, "labels": {}})");
  Fields step(object);
  step.name("name");
  EXPECT_TRUE(step.finish());
  Fields other(object, Fields::Of::something_else);
  other.name("name");
  EXPECT_THAT(pointers(other.finish().error()), ElementsAre("/retry", "/labels"));
}

TEST(Fields, CutsLongValuesInMessages) {
  json::object object{{"name", json::array{std::string(10'000, 'x')}}};
  Fields fields(object);
  fields.name("name");
  EXPECT_LT(fields.finish().error().message.size(), 200U);
}

TEST(Fields, AnEmptyListIsNoList) {
  auto object = body(R"({"names": []})");
  Fields fields(object);
  fields.texts("names");
  EXPECT_THAT(fields.finish().error().message, HasSubstr("at least one"));
}

}  // namespace
}  // namespace lo::api
