#include "workflow/document.h"

#include <gmock/gmock.h>

namespace lo::workflow {
namespace {

using testing::HasSubstr;

json::value yaml(std::string_view text) {
  auto document = read_yaml(text);
  return document ? document->value : json::value("error: " + document.error().message);
}

std::string error_of_yaml(std::string_view text) {
  auto document = read_yaml(text);
  return document ? "" : document.error().message;
}

TEST(ReadYaml, PlainScalarsFollowTheCoreSchema) {
  EXPECT_EQ(yaml("{a: 1, b: -2, c: 0.5, d: 1e3, e: true, f: null, g: ~, h: }"),
            json::parse(R"({"a":1,"b":-2,"c":0.5,"d":1000.0,"e":true,"f":null,"g":null,"h":null})"));
}

TEST(ReadYaml, WordsThatOldYamlTakesForTruthStayText) {
  EXPECT_EQ(yaml("[yes, no, on, off, y, n, 1_000, 12:30, 2026-01-31, 1.2.3, '-', e]"),
            json::parse(R"(["yes","no","on","off","y","n","1_000","12:30","2026-01-31","1.2.3","-","e"])"));
}

TEST(ReadYaml, QuotedAndBlockScalarsAreText) {
  EXPECT_EQ(yaml("a: '1'\nb: \"true\"\nc: |\n  x = 1\n  y = 2\nd: !!str 5\n"),
            json::parse(R"({"a":"1","b":"true","c":"x = 1\ny = 2\n","d":"5"})"));
}

TEST(ReadYaml, ReadsJson) {
  EXPECT_EQ(yaml("{\"a\": [1, {\"b\": \"x\\n\"}],\n\t\"c\":false}"), json::parse(R"({"a":[1,{"b":"x\n"}],"c":false})"));
}

TEST(ReadYaml, AnchorsStandForWhatTheyName) {
  EXPECT_EQ(yaml("a: &t {x: 1}\nb: *t\n"), json::parse(R"({"a":{"x":1},"b":{"x":1}})"));
}

TEST(ReadYaml, KnowsTheLines) {
  auto document = read_yaml("name: n\nsteps:\n  - service: a\n    names: [x,\n      y]\n  - {service: b}\n");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->where("/steps/0"), "line 3");
  EXPECT_EQ(document->where("/steps/0/names"), "line 4");
  EXPECT_EQ(document->where("/steps/0/names/1"), "line 5");
  EXPECT_EQ(document->where("/steps/1/service"), "line 6");
  EXPECT_EQ(document->where("/steps/0/types/a"), "line 3") << "of the step that has no types";
  EXPECT_EQ((Document{.value = {}, .lines = {}}).where("/steps/0"), "/steps/0");
}

TEST(ReadYaml, RefusesWithTheLine) {
  EXPECT_THAT(error_of_yaml("a: 1\nb: [1,\n"), HasSubstr("line "));
  EXPECT_EQ(error_of_yaml("a: 1\nb: 2\na: 3\n"), "line 3: the key 'a' stands here a second time");
  EXPECT_EQ(error_of_yaml("a:\n  b: .inf\n"), "line 2: '.inf' has no form in JSON");
  EXPECT_EQ(error_of_yaml("? [a]\n: 1\n"), "line 1: a key must be plain text");
  EXPECT_EQ(error_of_yaml(""), "the text holds 0 YAML documents instead of one");
  EXPECT_EQ(error_of_yaml("a: 1\n---\nb: 2\n"), "the text holds 2 YAML documents instead of one");
}

TEST(ReadYaml, EndsOnWhatNeverEnds) {
  EXPECT_THAT(error_of_yaml(std::string(100, '[') + std::string(100, ']')), HasSubstr("nests deeper than 64"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of_yaml(bomb), HasSubstr("more than 100000 values"));
  EXPECT_NE(error_of_yaml("a: &a [*a]\n"), "");
}

TEST(ReadJson, SaysWhereItIsWrong) {
  ASSERT_TRUE(read_json("{\"a\": 1}"));
  auto broken = read_json("{\"a\": }");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("line 1, column 7"));
}

}  // namespace
}  // namespace lo::workflow
