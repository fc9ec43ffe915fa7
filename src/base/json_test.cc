#include "base/json_reader.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

namespace lo {
namespace {

using ::testing::HasSubstr;

std::string refusal(std::string_view text) {
  auto value = parse_json(text);
  if (value) return "accepted: " + write_json(*value);
  EXPECT_EQ(value.error().code, Code::malformed);
  return value.error().message;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJsonTest, ReadsEveryKindOfValue) {
  auto value = parse_json(R"( {"a": [1, -2, 18446744073709551615, 0.5, true, null], "b": {"c": "ü\n"}} )").value();
  EXPECT_EQ(value, json::value({{"a", {1, -2, 18446744073709551615U, 0.5, true, nullptr}}, {"b", {{"c", "ü\n"}}}}));
  EXPECT_EQ(parse_json("\"text\"").value(), json::value("text"));
}

TEST(JsonReaderTest, ReadsOneTextAfterTheOther) {
  JsonReader reader(2);
  EXPECT_EQ(reader.read(R"({"a": [1]})").value(), json::value({{"a", {1}}}));
  EXPECT_THAT(reader.read(R"({"a": 1, "a": 2})").error().message, HasSubstr("the key \"a\" is repeated"));
  EXPECT_THAT(reader.read(R"({"b": "te)").error().message, HasSubstr("ends too early"));
  EXPECT_THAT(reader.read("[[[]]]").error().message, HasSubstr("nested deeper than 2 levels"));
  EXPECT_EQ(reader.read(R"({"b": {"b": true}})").value(), json::value({{"b", {{"b", true}}}}));
}

TEST(JsonReaderTest, MakesTheValueWhereItIsTold) {
  auto memory = json::make_shared_resource<json::monotonic_resource>();
  auto value = JsonReader().read(R"({"a": ["text that is too long to be kept in place"]})", memory).value();
  EXPECT_EQ(value.storage(), memory);
  EXPECT_EQ(value.get_object().at("a").get_array().front().get_string().storage(), memory);
}

TEST(ParseJsonTest, RefusesARepeatedKeyAlsoAfterManyOthers) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += "\"" + std::to_string(i) + "\": {}, ";
  for (const auto* key : {"0", "15", "16", "17", "99"}) EXPECT_THAT(refusal(text + '"' + key + "\": 1}"), HasSubstr("is repeated"));
  EXPECT_TRUE(parse_json(text + "\"100\": 1}"));
}

TEST(ParseJsonTest, NamesLineAndColumnOfTheError) {
  EXPECT_EQ(refusal("{\"a\": 1,\n \"b\": }"), "invalid JSON at line 2, column 7: syntax error");
  EXPECT_THAT(refusal("[1, x]"), HasSubstr("line 1, column 5"));
  EXPECT_THAT(refusal("[\"ü\", x]"), HasSubstr("line 1, column 7"));  // characters, not bytes
  EXPECT_THAT(refusal(std::string(10'000, '\n') + "[1 2]"), HasSubstr("line 10001, column 4"));
  EXPECT_THAT(refusal("[\"" + std::string(9'000, 'x') + "\", 01]"), HasSubstr("line 1, column 9007"));
}

TEST(ParseJsonTest, RefusesTextThatEndsTooEarlyOrTooLate) {
  EXPECT_EQ(refusal(""), "invalid JSON at line 1, column 1: the text ends too early");
  EXPECT_EQ(refusal("{\"a\":"), "invalid JSON at line 1, column 6: the text ends too early");
  EXPECT_EQ(refusal("{} {}"), "invalid JSON at line 1, column 4: more text after the end of the value");
}

TEST(ParseJsonTest, RefusesWhatIsNoJson) {
  for (const auto* text : {"NaN", "[Infinity]", "[-Infinity]", "{'a': 1}", "[1,]", "// comment\n1", "[01]", "[.5]", "[+1]",
                           "\"\xff\"", "\"\t\"", "tru", "[\"\\x\"]", "\xef\xbb\xbf{}"})
    EXPECT_THAT(refusal(text), HasSubstr("invalid JSON at line 1")) << text;
  EXPECT_THAT(refusal(std::string_view("\0", 1)), HasSubstr("invalid JSON"));
}

TEST(ParseJsonTest, RefusesRepeatedKeysInOneObjectOnly) {
  EXPECT_EQ(refusal(R"({"a": 1, "b": 2, "a": 3})"), "invalid JSON at line 1, column 20: the key \"a\" is repeated");
  EXPECT_THAT(refusal(R"({"x": {"a": 1, "\u0061": 3}})"), HasSubstr("\"a\" is repeated"));
  EXPECT_TRUE(parse_json(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})"));
}

TEST(ParseJsonTest, SaysHowDeepIsTooDeep) {
  EXPECT_TRUE(parse_json(nested(64)));
  EXPECT_EQ(refusal(nested(65)), "invalid JSON at line 1, column 65: nested deeper than 64 levels");
  EXPECT_THAT(refusal(std::string(1'000'000, '[')), HasSubstr("column 65: nested deeper than 64 levels"));
  EXPECT_TRUE(parse_json(nested(65), 100));
}

TEST(ParseJsonTest, ReadsDoublesToTheNearest) {
  EXPECT_EQ(parse_json("0.8134706814580032").value().as_double(), 0.8134706814580032);
  EXPECT_EQ(parse_json("2.2250738585072011e-308").value().as_double(), 2.2250738585072011e-308);
  EXPECT_EQ(parse_json("1e-400").value().as_double(), 0.0);
  EXPECT_THAT(refusal("[1e400]"), HasSubstr("the number 1e400 is too large"));
}

TEST(ParseJsonTest, KeepsTheWholeTextOfLongKeysAndStrings) {
  std::string key(10'000, 'k');
  auto object = parse_json_object("{\"" + key + "\": \"" + key + "\\n\"}").value();
  EXPECT_EQ(object.at(key).as_string(), key + "\n");
}

TEST(ParseJsonTest, ObjectIsAskedForByName) {
  EXPECT_EQ(parse_json_object("{\"a\": 1}").value(), json::object({{"a", 1}}));
  EXPECT_EQ(parse_json_object("[1]").error().message, "the JSON must be an object, not an array");
  EXPECT_EQ(parse_json_object("1").error().code, Code::malformed);
}

TEST(WriteJsonTest, NumbersAreShortAndKeepTheirKind) {
  EXPECT_EQ(write_json({0.8, 3.0, 3, -0.5, 1e300, 18446744073709551615U}), "[0.8,3.0,3,-0.5,1e+300,18446744073709551615]");
}

TEST(WriteJsonTest, IsValidWhateverTheValueHolds) {
  EXPECT_EQ(write_json({std::nan(""), std::numeric_limits<double>::infinity()}), "[null,null]");
  EXPECT_EQ(write_json("a\xff\"\n\x01"), "\"a\xef\xbf\xbd\\\"\\n\\u0001\"");
  EXPECT_EQ(write_json({{"\xff", 1}}), "{\"\xef\xbf\xbd\":1}");
  EXPECT_EQ(write_json(json::object()), "{}");
  EXPECT_EQ(write_json(json::array()), "[]");
}

TEST(WriteJsonTest, DoublesComeBackBitForBit) {
  std::mt19937_64 random(33);
  for (int i = 0; i < 20'000; ++i) {
    auto number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    auto text = write_json(number);
    auto back = parse_json(text).value().as_double();
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(number)) << text;
  }
}

TEST(CanonicalJsonTest, EqualValuesHaveOneText) {
  auto one = parse_json(R"({"b": {"y": 1, "x": [1, 2.50]}, "a": "ü"})").value();
  auto two = parse_json("{ \"a\" : \"\\u00fc\",\n\"b\":{\"x\":[1,2.5e0],\"y\":1}}").value();
  EXPECT_EQ(canonical_json(one), R"({"a":"ü","b":{"x":[1,2.5],"y":1}})");
  EXPECT_EQ(canonical_json(one), canonical_json(two));
}

TEST(CanonicalJsonTest, DifferentValuesHaveDifferentTexts) {
  for (const auto* other : {"1.0", "\"1\"", "true", "[1]", "{\"1\":1}"})
    EXPECT_NE(canonical_json(parse_json(other).value()), canonical_json(1)) << other;
  EXPECT_NE(canonical_json({1, 2}), canonical_json({2, 1}));
}

TEST(StringOrTest, FallsBackUnlessItIsAString) {
  json::object object{{"name", "a"}, {"number", 1}};
  EXPECT_EQ(string_or(object, "name"), "a");
  EXPECT_EQ(string_or(object, "number", "none"), "none");
  EXPECT_EQ(string_or(object, "missing"), "");
}

}  // namespace
}  // namespace lo
