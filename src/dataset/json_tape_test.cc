#include "dataset/json_tape.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "base/json.h"

namespace lo::dataset {
namespace {

TEST(JsonTape, TokensAreInTheOrderOfTheText) {
  JsonTape tape;
  auto tokens = tape.read(R"( {"a": [1, -2.50e3], "b\n": {"c": "x\u00e9"}, "d": null, "e": true} )");
  ASSERT_EQ(tokens.size(), 8U);
  EXPECT_EQ(tokens.front().size, 8U);
  EXPECT_EQ(tokens[1].key, "a");
  EXPECT_EQ(tokens[1].size, 3U);
  EXPECT_EQ(tokens[2].text, "1");
  EXPECT_EQ(tokens[3].kind, JsonKind::number);
  EXPECT_EQ(tokens[3].text, "-2.50e3");
  EXPECT_EQ(tokens[4].key, "b\n");
  EXPECT_EQ(tokens[5].text, "xé");
  EXPECT_EQ(tokens[6].kind, JsonKind::null);
  EXPECT_EQ(tokens[7].text, "true");
  EXPECT_EQ(json_text(tokens), R"({"a":[1,-2.50e3],"b\n":{"c":"xé"},"d":null,"e":true})");
}

TEST(JsonTape, IntegersOfManyDigitsAreIntegers) {
  JsonTape tape;
  EXPECT_EQ(tape.read("123456789012345678901234567890").front().kind, JsonKind::integer);
  EXPECT_EQ(tape.read("1E2").front().kind, JsonKind::number);
  EXPECT_EQ(tape.read("-0").front().text, "-0");
}

TEST(JsonTape, LongTextsWithEscapesAreWhole) {
  std::string text;
  std::string written = "[\"";
  for (int i = 0; i < 20'000; ++i) {
    text += i % 7 == 0 ? "\n" : "x";
    written += i % 7 == 0 ? "\\n" : "x";
  }
  written += "\",\"" + written.substr(2) + "\"]";
  JsonTape tape;
  auto tokens = tape.read(written);
  ASSERT_EQ(tokens.size(), 3U);
  EXPECT_EQ(tokens[1].text, text);
  EXPECT_EQ(tokens[2].text, text);
}

TEST(JsonTape, WhatIsNotOneValueIsNothing) {
  JsonTape tape;
  for (auto text : {"", " ", "{", "{}{}", "[1,]", "{\"a\"}", "01", "NaN", "'x'", "\"\xff\"", "\"\\ud800\"", "\"a\nb\"", "// x\n1"})
    EXPECT_TRUE(tape.read(text).empty()) << text;
  EXPECT_FALSE(tape.read(std::string(64, '[') + std::string(64, ']')).empty());
  EXPECT_TRUE(tape.read(std::string(65, '[') + std::string(65, ']')).empty());
}

// Beside the parser of requests, which differs in what it refuses besides: names that come twice and numbers beyond all floats.
TEST(JsonTape, AnyTextIsWhatParseJsonSaysThatItIs) {
  constexpr std::array<std::string_view, 24> kPieces{"{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\n\\u00e9\"", "\"\\ud83d\\ude00\"", "1", "-1.5e3", "0.1",
                                                     "9223372036854775807", "18446744073709551615", "true", "false", "null", " ", "{\"a\":1}", "[1,2]",
                                                     "\"", "\\", "é"};
  std::minstd_rand random(33);
  JsonTape tape;
  int valid = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto pieces = random() % 12; pieces > 0; --pieces) text += kPieces[random() % kPieces.size()];
    if (round % 2 == 0) text = R"([{"k":[)" + text + "]}]";
    auto tokens = tape.read(text);
    auto value = parse_json(text);
    if (!value && (value.error().message.contains("is repeated") || value.error().message.contains("is too large"))) continue;
    ASSERT_EQ(tokens.empty(), !value.has_value()) << text;
    if (!value) continue;
    ++valid;
    ASSERT_EQ(write_json(*parse_json(json_text(tokens))), write_json(*value)) << text;
  }
  EXPECT_GT(valid, 500);
}

}  // namespace
}  // namespace lo::dataset
