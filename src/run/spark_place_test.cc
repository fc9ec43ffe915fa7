#include "run/spark_place.h"

#include <gmock/gmock.h>

namespace lo::run {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = SparkPlace::Kind;

SparkPlace parsed(const std::string& text) {
  auto place = parse_spark_place(text);
  EXPECT_TRUE(place) << text;
  return place.value_or(SparkPlace{});
}

TEST(SparkPlaceTest, NothingIsAServerOfOnesOwn) {
  EXPECT_EQ(parsed("").kind, Kind::local);
  EXPECT_EQ(parsed("").name(), "the Spark server");
  EXPECT_FALSE(parsed("").has_token());
}

TEST(SparkPlaceTest, StandaloneClusters) {
  for (const auto* text : {"spark://10.0.0.1:7077", "spark://a.example.org:7077,b.example.org:7077"}) {
    EXPECT_EQ(parsed(text).kind, Kind::standalone);
    EXPECT_EQ(parsed(text).shown(), text);
    EXPECT_THAT(parsed(text).name(), HasSubstr("(--spark)"));
  }
}

TEST(SparkPlaceTest, ConnectServersAreShownWithoutWhatMayBeSecret) {
  for (const auto* text : {"sc://[::1]:15002", "sc://[::1]:15002/", "sc://[::1]:15002/;use_ssl=true;token=sesame", "sc://[::1]:15002;token=sesame", "sc://[::1]:15002/;x-key=sesame"}) {
    auto place = parsed(text);
    EXPECT_EQ(place.kind, Kind::connect);
    EXPECT_EQ(place.url, text);
    EXPECT_EQ(place.shown(), "sc://[::1]:15002");
    EXPECT_EQ(place.has_token(), std::string_view(text).contains(";token="));
  }
  EXPECT_EQ(parsed("sc://spark").shown(), "sc://spark");
  auto with_file = parsed("sc://spark");
  with_file.token = "sesame";
  EXPECT_TRUE(with_file.has_token());
  EXPECT_THAT(with_file.name(), Not(HasSubstr("sesame")));
}

TEST(SparkPlaceTest, WhatIsNeitherIsRefusedWithoutItsSecrets) {
  for (const auto* text : {"local", "http://h:1", "spark://h", "spark://h:1/;token=sesame", "sc://", "sc://h:port", "sc://h:1/path", "sc://h:1/;token", "sc://h:1/;token=ses ame",
                           "sc://me:sesame@h:1", "sc://h:1/;session_id=7", "sc://h:1?token=sesame", "sc://h:1/#token=sesame", "sc//h;token=sesame"}) {
    auto place = parse_spark_place(text);
    ASSERT_FALSE(place) << text;
    EXPECT_THAT(place.error().message, Not(HasSubstr("ame"))) << text;
  }
  EXPECT_THAT(parse_spark_place("local[2]").error().message, HasSubstr("\"local[2]\""));
}

}  // namespace
}  // namespace lo::run
