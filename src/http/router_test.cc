#include "http/router.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace lo::http {
namespace {

using testing::ElementsAre;
using testing::Pair;

Route route(std::string method, std::string pattern) {
  return {.method = std::move(method), .pattern = std::move(pattern), .handler = nullptr};
}

Router api() {
  Router router;
  for (const auto* pattern :
       {"/", "/step", "/step/{name}", "/step/{name}/log", "/observe/stream", "/observe/{name}", "/{service}/{tool}/metadata"})
    router.add(route("GET", pattern));
  router.add(route("DELETE", "/step/{name}"));
  router.add(route("POST", "/observe/{name}"));
  return router;
}

std::string pattern_of(std::string_view method, std::string_view path) {
  auto router = api();
  auto match = router.match(method, path);
  return match ? match->route->pattern : std::string(to_string(match.error().code));
}

TEST(Router, FindsTheRoute) {
  EXPECT_EQ(pattern_of("GET", "/"), "/");
  EXPECT_EQ(pattern_of("GET", "/step"), "/step");
  EXPECT_EQ(pattern_of("GET", "/step/a"), "/step/{name}");
  EXPECT_EQ(pattern_of("DELETE", "/step/a"), "/step/{name}");
  EXPECT_EQ(pattern_of("GET", "/nothing"), "not found");
  EXPECT_EQ(pattern_of("GET", "/step/a/log/b"), "not found");
  EXPECT_EQ(pattern_of("GET", "/STEP"), "not found");
}

TEST(Router, LiteralsGoBeforeParameters) {
  EXPECT_EQ(pattern_of("GET", "/observe/stream"), "/observe/stream");
  EXPECT_EQ(pattern_of("GET", "/observe/streams"), "/observe/{name}");
  EXPECT_EQ(pattern_of("GET", "/step/metadata/metadata"), "/{service}/{tool}/metadata");
  EXPECT_EQ(pattern_of("POST", "/observe/stream"), "/observe/{name}") << "the literal one has no POST";
}

TEST(Router, HeadIsGet) {
  EXPECT_EQ(pattern_of("HEAD", "/step"), "/step");
  Router router;
  router.add(route("POST", "/a"));
  EXPECT_EQ(router.match("HEAD", "/a").error().code, Code::not_allowed);
}

TEST(Router, GivesDecodedParameters) {
  auto router = api();
  auto match = router.match("GET", "/a%20b/c%25d/metadata");
  ASSERT_TRUE(match.has_value());
  EXPECT_THAT(match->parameters, ElementsAre(Pair("service", "a b"), Pair("tool", "c%d")));
}

TEST(Router, NamesTheVerbsThatArePossible) {
  auto router = api();
  std::string allowed;
  auto match = router.match("PATCH", "/step/a", &allowed);
  ASSERT_FALSE(match.has_value());
  EXPECT_EQ(match.error().code, Code::not_allowed);
  EXPECT_EQ(allowed, "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(router.match("get", "/step/a").error().code, Code::not_allowed) << "verbs have a case";
}

TEST(Router, BadPathsAreMalformed) {
  for (const auto* path : {"", "step", "/step/", "/step/..", "/step/%2e%2e/log", "/step/a%2flog", "/step/%00", "/step\\a"})
    EXPECT_EQ(pattern_of("GET", path), "malformed") << path;
}

TEST(Router, TwoOfOneShapeAreAProgrammerError) {
  auto router = api();
  EXPECT_THROW(router.add(route("GET", "/step/{other}")), std::logic_error);
  EXPECT_THROW(router.add(route("GET", "no/slash")), std::logic_error);
  EXPECT_NO_THROW(router.add(route("PUT", "/step/{other}")));
}

}  // namespace
}  // namespace lo::http
