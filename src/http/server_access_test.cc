// Who may connect: tokens, names of the server, addresses beyond loopback.
#include <gmock/gmock.h>

#include "http/server_fixture.h"

namespace lo::http {
namespace {

using testing::HasSubstr;

class AccessTest : public ServerTest {
 protected:
  void SetUp() override {
    auto text = token_line("ada", "ada-s-token") + "\n" + token_line("bob", "bob-s-token");
    options_.access.tokens = std::make_shared<Current<const Tokens>>(std::make_shared<const Tokens>(Tokens::parse(text, "tokens").value()));
    add("GET", "/open", echo).open = true;
    auto whose = [this](Request& request) -> Awaitable<Response> {
      ++handled_;
      co_return text_response(200, "text/plain", request.user);
    };
    add("GET", "/", whose);
    add("POST", "/", whose);
  }

  std::string with(std::string_view authorization, std::string_view line = "GET /") { return request(line, fmt::format("Authorization: {}\r\n", authorization)); }

  std::atomic<int> handled_ = 0;
};

TEST_F(AccessTest, ATokenSaysWhoComes) {
  start();
  EXPECT_EQ(ask(with("Bearer ada-s-token")).body(), "ada");
  EXPECT_EQ(ask(with("bearer bob-s-token")).body(), "bob");
  EXPECT_EQ(handled_, 2);
}

TEST_F(AccessTest, WithoutAKnownTokenNothingIsAnswered) {
  start();
  std::vector<std::string> all{request("GET /"), request("POST /"), request("GET /nothing"), request("DELETE /"), request("OPTIONS *"), post("/", "{}")};
  for (const auto* wrong : {"", "Bearer", "Bearer ", "Bearer ada", "Basic ada-s-token", "ada-s-token", "Bearer  ada-s-token", "Bearer ada-s-token x", "Bearer ada-s-token, Bearer bob-s-token"})
    all.push_back(with(wrong));
  all.push_back(request("GET /", "Authorization: Bearer ada-s-token\r\nAuthorization: Bearer ada-s-token\r\n"));
  for (const auto& bytes : all) {
    auto reply = ask(bytes);
    EXPECT_EQ(reply.result_int(), 401U) << bytes;
    EXPECT_THAT(std::string(reply["WWW-Authenticate"]), HasSubstr("Bearer")) << bytes;
    EXPECT_THAT(reply.body(), HasSubstr("oken")) << bytes;
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(AccessTest, WhatIsOpenNeedsNone) {
  start();
  EXPECT_EQ(ask(request("GET /open")).result_int(), 200U);
  EXPECT_EQ(ask(with("Bearer unknown", "GET /open")).result_int(), 200U);
}

TEST_F(AccessTest, OtherNamesAreTakenWhereTheyAreListed) {
  options_.access.hosts = {"Example.org", "10.1.2.3:8443"};
  start();
  auto status = [&](std::string_view host) { return ask(fmt::format("GET /open HTTP/1.1\r\nHost: {}\r\n\r\n", host)).result_int(); };
  for (const auto* host : {"example.org", "EXAMPLE.org:1234", "10.1.2.3:8443"}) EXPECT_EQ(status(host), 200U) << host;
  for (const auto* host : {"example.com", "a.example.org", "10.1.2.3", "10.1.2.3:8444", "", ":8443"}) EXPECT_EQ(status(host), 403U) << host;
}

TEST_F(AccessTest, BehindAProxyItsPagesComeOverHttps) {
  options_.access.hosts = {"example.org"};
  options_.access.behind_proxy = true;
  start();
  auto status = [&](std::string_view host, std::string_view origin) {
    return ask(fmt::format("POST / HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nAuthorization: Bearer ada-s-token\r\n\r\n", host, origin)).result_int();
  };
  EXPECT_EQ(status("example.org", "https://example.org"), 200U);
  EXPECT_EQ(status("example.org", "http://example.org"), 200U);
  EXPECT_EQ(status("example.org:8443", "https://example.org:8443"), 200U);
  for (const auto* origin : {"https://evil.example", "https://example.org:8443", "https://example.org.evil.example", "ftp://example.org", "null", "https://"})
    EXPECT_EQ(status("example.org", origin), 403U) << origin;
}

TEST_F(AccessTest, BeyondLoopbackWithTokensAlone) {
  options_.host = "0.0.0.0";
  start();
  EXPECT_EQ(ask(with("Bearer ada-s-token")).result_int(), 200U);
  ServerOptions without{.host = "0.0.0.0", .port = 0};
  EXPECT_EQ(Server(io_.get_executor(), router_, without).start().error().code, Code::forbidden);
  options_.host = "example.org";
  EXPECT_EQ(Server(io_.get_executor(), router_, options_).start().error().code, Code::forbidden);
}

}  // namespace
}  // namespace lo::http
