#include "engine/cache_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::engine {
namespace {

using testing::HasSubstr;

struct Made {
  Member member{.key = {1, 1}, .name = "a", .operation = "function/python", .request = {{"name", "a"}, {"function", "response = 1"}}};
  std::vector<Input> inputs = {};
  WallTime clock = {};
  std::string installed = "1", outside = "";

  std::string key() const { return cache_key({.member = member, .inputs = inputs, .clock = clock, .installed = installed, .outside = outside}); }
};

Input input(std::string name, std::string digest) {
  json::array parts{{{"name", "rows.parquet"}, {"digest", std::move(digest)}}};
  return {.name = std::move(name), .key = {7, 1}, .operation = "dataset/csv", .manifest = {{"kind", "table"}, {"parts", std::move(parts)}}};
}

TEST(CacheKey, DependsOnWhatTheResultDependsOn) {
  Made base;
  base.inputs = {input("x", "d1")};
  auto differs = [&](auto change) {
    auto other = base;
    change(other);
    EXPECT_NE(other.key(), base.key());
  };
  differs([](Made& made) { made.member.request["function"] = "response = 2"; });
  differs([](Made& made) { made.member.request["environment"] = "mine"; });
  differs([](Made& made) { made.member.operation = "model/scikitlearn"; });
  differs([](Made& made) { made.inputs = {input("x", "d2")}; });
  differs([](Made& made) { made.inputs = {input("y", "d1")}; });
  differs([](Made& made) { made.installed = "2"; });
  differs([](Made& made) { made.outside = "etag"; });
  EXPECT_EQ(base.key().size(), 32U);
}

TEST(CacheKey, NamesAndLimitsDoNotCount) {
  Made base, other;
  other.member.name = "b";
  other.member.request = {{"timeout", 5}, {"function", "response = 1"}, {"description", "text"}, {"name", "b"}, {"cache", "use"}};
  other.inputs = other.inputs;
  other.clock += std::chrono::hours{1};
  EXPECT_EQ(base.key(), other.key());
}

TEST(CacheKey, AnotherStepsNameCounts) {
  Made base, other;
  base.member.request["modelName"] = "m1";
  other.member.request["modelName"] = "m2";
  EXPECT_NE(base.key(), other.key());
}

TEST(CacheKey, TheClockCountsWhereItIsAskedFor) {
  Made base;
  base.member.request["functionParameters"] = {{"day", "$clock"}};
  auto later = base;
  later.clock += std::chrono::hours{1};
  EXPECT_NE(base.key(), later.key());
}

TEST(CacheKey, UrlsLookOutside) {
  EXPECT_TRUE(looks_outside("dataset/csv", {{"datasetURI", "https://example.org/x.csv"}}));
  EXPECT_TRUE(looks_outside("dataset/csv", {{"datasetURI", "s3://bucket/x.csv"}}));
  EXPECT_TRUE(looks_outside("dataset/csv", {{"datasetURI", "hdfs://names/x.csv"}}));
  EXPECT_TRUE(looks_outside("dataset/sql", {{"connection", "shop"}, {"query", "select 1"}}));
  EXPECT_TRUE(looks_outside("environment", {}));
  EXPECT_FALSE(looks_outside("function/python", {{"function", "open('http://x')"}}));
}

TEST(CacheKey, ReadsWhetherToUseIt) {
  EXPECT_TRUE(*read_cache({{"cache", "use"}}));
  EXPECT_FALSE(*read_cache({{"cache", "off"}}));
  EXPECT_FALSE(*read_cache({}));
  EXPECT_THAT(read_cache({{"cache", true}}).error().message, HasSubstr("cache must be \"off\" or \"use\", not true"));
}

}  // namespace
}  // namespace lo::engine
