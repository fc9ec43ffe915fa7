#include "http/message.h"

#include <gmock/gmock.h>

namespace lo::http {
namespace {

std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

json::object body_of(const Response& response) { return *parse_json_object(std::get<std::string>(response.body)); }

TEST(Request, FindsTheFirstValue) {
  Request request;
  request.query = {{"a", "1"}, {"b", ""}, {"a", "2"}};
  request.headers = {{"prefer", "wait=5"}};
  EXPECT_EQ(request.query_value("a"), "1");
  EXPECT_EQ(request.query_value("b"), "");
  EXPECT_EQ(request.query_value("c"), std::nullopt);
  EXPECT_EQ(request.header("prefer"), "wait=5");
  EXPECT_EQ(request.header("Prefer"), std::nullopt);
  request.allow_cancel();  // outside a server: nothing to do
}

TEST(Response, JsonHasItsType) {
  auto response = json_response(201, {{"result", "/a"}});
  EXPECT_EQ(response.status, 201u);
  EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
  EXPECT_EQ(std::get<std::string>(response.body), R"({"result":"/a"})");
}

TEST(Problem, HasTheMembersOfTheStandardAndOf2021) {
  Error error{
      .code = Code::unacceptable, .message = "no field \"x\"", .fields = {{"/names/0", "unknown"}}, .internal = "secret"};
  auto response = problem_response(error, "/a?b");
  EXPECT_EQ(response.status, 406u);
  EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json");
  json::object expected{{"result", "no field \"x\""},
                        {"type", "about:blank"},
                        {"title", "Not Acceptable"},
                        {"status", 406},
                        {"detail", "no field \"x\""},
                        {"instance", "/a?b"},
                        {"errors", json::array{{{"pointer", "/names/0"}, {"detail", "unknown"}}}}};
  EXPECT_EQ(canonical_json(body_of(response)), canonical_json(expected));
  EXPECT_FALSE(std::get<std::string>(response.body).contains("secret"));
}

TEST(Problem, SaysWhenToTryAgain) {
  EXPECT_NE(header_of(problem_response({.code = Code::busy, .message = ""}, ""), "Retry-After"), "");
  EXPECT_NE(header_of(problem_response({.code = Code::unavailable, .message = ""}, ""), "Retry-After"), "");
  EXPECT_EQ(header_of(problem_response({.code = Code::conflict, .message = ""}, ""), "Retry-After"), "");
}

TEST(Problem, EveryCodeHasItsStatus) {
  const std::pair<Code, unsigned> table[] = {
      {Code::malformed, 400},         {Code::not_found, 404}, {Code::not_allowed, 405},  {Code::forbidden, 403},
      {Code::unacceptable, 406},      {Code::conflict, 409},  {Code::precondition, 412}, {Code::too_large, 413},
      {Code::unsupported_media, 415}, {Code::mismatch, 422},  {Code::busy, 429},         {Code::unavailable, 503},
      {Code::no_space, 507},          {Code::cancelled, 503}, {Code::timeout, 408},      {Code::io, 500},
      {Code::corrupt, 500},           {Code::internal, 500}};
  for (auto [code, status] : table) {
    EXPECT_EQ(status_of(code), status) << to_string(code);
    EXPECT_NE(body_of(problem_response({.code = code, .message = ""}, "")).at("title"), "") << to_string(code);
  }
  EXPECT_EQ(body_of(problem_response(431, "too much", "/")).at("title"), "Request Header Fields Too Large");
}

}  // namespace
}  // namespace lo::http
