#include "http/wire.h"

#include <gmock/gmock.h>

namespace lo::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ResponseHead, FramesAWholeBody) {
  auto head = response_head(text_response(201, "text/plain", "abc"), {.date = 0});
  EXPECT_THAT(head, testing::StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(head, HasSubstr("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Connection")));
  EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
}

TEST(ResponseHead, FramesAStream) {
  Response response{.status = 200, .body = StreamBody()};
  EXPECT_THAT(response_head(response, {}), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(response_head(response, {.version = 10, .keep_alive = false}), Not(HasSubstr("chunked")));
}

TEST(ResponseHead, NoBodyHasNoLength) {
  for (unsigned status : {204u, 304u})
    EXPECT_THAT(response_head({.status = status, .body = std::string()}, {}), Not(HasSubstr("Content-Length")));
}

TEST(ResponseHead, SaysHowTheConnectionGoesOn) {
  EXPECT_THAT(response_head({}, {.keep_alive = false}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response_head({}, {.version = 10}), HasSubstr("Connection: keep-alive\r\n"));
}

TEST(ResponseHead, TheHandlersWordGoesBeforeTheDefault) {
  auto head = response_head({.headers = {{"cache-control", "max-age=60"}, {"Link", "<a>"}, {"Link", "<b>"}}}, {});
  EXPECT_THAT(head, HasSubstr("cache-control: max-age=60\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("no-store")));
  EXPECT_THAT(head, HasSubstr("Link: <a>\r\nLink: <b>\r\n"));
}

TEST(ResponseHead, WhatWouldForgeAHeaderIsNotSent) {
  for (const auto& value : {std::string("a\r\nb: c"), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3)})
    EXPECT_EQ(response_head({.headers = {{"X", value}}}, {}), "");
  for (const auto* name : {"", "a b", "a:", "a\r\nb"}) EXPECT_EQ(response_head({.headers = {{name, "x"}}}, {}), "") << name;
}

TEST(ToRequest, LowersNamesAndKeepsOrder) {
  boost::beast::http::request_header<> header;
  header.method_string("BREW");
  header.target("/a?b");
  header.insert("X-One", "A");
  header.insert("x-one", "B");
  auto request = to_request(header);
  EXPECT_EQ(request.method, "BREW");
  EXPECT_EQ(request.target, "/a?b");
  EXPECT_THAT(request.headers, testing::ElementsAre(testing::Pair("x-one", "A"), testing::Pair("x-one", "B")));
}

}  // namespace
}  // namespace lo::http
