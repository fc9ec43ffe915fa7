#include "dataset/csv_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::dataset {
namespace {

Result<CsvOptions> parsed(std::string_view request) { return parse_csv_options(parse_json_object(request).value()); }

TEST(CsvOptions, Defaults) {
  auto options = parsed(R"({"datasetName": "x", "datasetURI": "http://x"})").value();
  EXPECT_FALSE(options.infer);
  EXPECT_TRUE(options.types.empty());
  EXPECT_EQ(options.delimiter, '\0');
  EXPECT_EQ(options.encoding, "");
}

TEST(CsvOptions, Given) {
  auto options =
      parsed(R"({"types": {"a": "number"}, "delimiter": "\t", "encoding": "Latin-1", "headers": ["a", "b"]})").value();
  EXPECT_EQ(options.types, (Types{{"a", Type::number}}));
  EXPECT_EQ(options.delimiter, '\t');
  EXPECT_THAT(options.headers, ::testing::ElementsAre("a", "b"));
  EXPECT_TRUE(parsed(R"({"types": "infer"})")->infer);
  EXPECT_FALSE(parsed(R"({"types": "string"})")->infer);
}

TEST(CsvOptions, WrongOnesAreNamed) {
  const std::vector<std::pair<std::string_view, std::string_view>> wrong{
      {R"({"types": "number"})", "/types"},         {R"({"types": {"a": "text"}})", "/types/a"},
      {R"({"types": {"a": null}})", "/types/a"},    {R"({"delimiter": ""})", "/delimiter"},
      {R"({"delimiter": ",,"})", "/delimiter"},     {R"({"delimiter": "\""})", "/delimiter"},
      {R"({"delimiter": "\n"})", "/delimiter"},     {R"({"delimiter": "é"})", "/delimiter"},
      {R"({"delimiter": "\u0000"})", "/delimiter"}, {R"({"delimiter": 1})", "/delimiter"},
      {R"({"encoding": "klingon"})", "/encoding"},  {R"({"encoding": 8})", "/encoding"},
      {R"({"headers": []})", "/headers"},           {R"({"headers": "a,b"})", "/headers"},
      {R"({"headers": ["a", 1]})", "/headers/1"},
  };
  for (const auto& [request, pointer] : wrong) {
    auto options = parsed(request);
    ASSERT_FALSE(options) << request;
    EXPECT_EQ(options.error().code, Code::unacceptable) << request;
    EXPECT_EQ(options.error().fields.at(0).pointer, pointer) << request;
  }
}

}  // namespace
}  // namespace lo::dataset
