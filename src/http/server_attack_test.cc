// What a server does for a client that means ill: raw bytes over a real socket.
#include <gmock/gmock.h>

#include "http/server_attacks.h"

namespace lo::http {
namespace {

using testing::HasSubstr;

TEST_F(AttackTest, ForeignHostsAreRefused) {
  start();
  auto port = server_->port();
  auto wrong_port = port == 65535 ? 65534 : port + 1;
  for (const auto& host :
       {std::string("evil.example"), fmt::format("evil.example:{}", port), fmt::format("localhost:{}", wrong_port),
        fmt::format("localhost.evil.example:{}", port), fmt::format("localhost.:{}", port), std::string(""),
        fmt::format("user@localhost:{}", port), fmt::format("%6cocalhost:{}", port), fmt::format("0.0.0.0:{}", port),
        fmt::format("2130706433:{}", port), fmt::format("[::ffff:127.0.0.1]:{}", port), std::string("localhost:"),
        fmt::format("127.0.0.1:{}@evil.example", port), fmt::format("localhost:0{}", port)})
    expect_refused(fmt::format("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host), 403);
  expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
  expect_refused(fmt::format("GET / HTTP/1.1\r\nHost: localhost:{0}\r\nHost: localhost:{0}\r\n\r\n", port), 400);
  expect_refused(request("GET http://evil.example/"), 403);
}

TEST_F(AttackTest, ItsOwnHostsAreServed) {
  start();
  auto port = server_->port();
  for (const auto& host : {std::string("localhost"), fmt::format("LocalHost:{}", port), std::string("127.0.0.1"),
                           fmt::format("127.0.0.1:{}", port), std::string("[::1]"), fmt::format("[::1]:{}", port)}) {
    EXPECT_EQ(ask(fmt::format("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", host)).result_int(), 200u) << host;
  }
}

TEST_F(AttackTest, ForeignOriginsAreRefused) {
  start();
  auto port = server_->port();
  for (const auto& origin : {std::string("http://evil.example"), std::string("null"), fmt::format("https://localhost:{}", port),
                             std::string("http://localhost"), fmt::format("http://127.0.0.1:{}", port),
                             fmt::format("http://localhost:{}.evil.example", port), std::string("")})
    for (const auto* line : {"GET /", "POST /"}) expect_refused(request(line, fmt::format("Origin: {}\r\n", origin)), 403);
  expect_refused(request("POST /", "Sec-Fetch-Site: cross-site\r\n"), 403);
  auto own = fmt::format("Origin: http://localhost:{}\r\nSec-Fetch-Site: same-origin\r\n", port);
  EXPECT_EQ(ask(request("POST /", own)).result_int(), 200u);
}

TEST_F(AttackTest, WhatAPageMaySendUnaskedIsNoMediaType) {
  start();
  for (const auto* type : {"text/plain", "text/plain;application/json", "application/x-www-form-urlencoded",
                           "multipart/form-data; boundary=x", "TEXT/PLAIN; charset=utf-8", "application/jsonx", ""})
    for (const auto* line : {"POST /", "PATCH /", "POST /upload"}) {
      if (std::string_view(type) == "application/jsonx" && std::string_view(line) == "POST /upload") continue;
      auto lines = fmt::format("Content-Type: {}\r\nContent-Length: 2\r\n", type);
      EXPECT_EQ(ask(request(line, lines, "{}")).result_int(), 415u) << line << " " << type;
    }
  EXPECT_EQ(ask(request("POST /", "Content-Length: 2\r\n", "{}")).result_int(), 415u);
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(ask(request("POST /", "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n", "{}")).result_int(),
            200u);
}

TEST_F(AttackTest, SmugglingIsRefused) {
  start();
  const std::string hidden = "GET /files/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const auto* lines : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
           "Content-Length: 0\r\nContent-Length: 48\r\n\r\n",
           "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
           "Content-Length: 0, 0\r\n\r\n",
           "Content-Length: 0,48\r\n\r\n",
           "Content-Length: -1\r\n\r\n",
           "Content-Length: +0\r\n\r\n",
           "Content-Length: 0x0\r\n\r\n",
           "Content-Length: \r\n\r\n",
           "Content-Length: 18446744073709551616\r\n\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: identity\r\n\r\n",
           "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
           "Content-Length: 0\n\n",
           "X: a\rContent-Length: 0\r\n\r\n",
           "X: a\nContent-Length: 0\r\n\r\n",
           "Content\x01-Length: 0\r\n\r\n",
       })
    expect_refused(with_host(lines) + hidden, 400);
  expect_refused(with_host(std::string("X: a\0b\r\n\r\n", 10)), 400);
  auto old =
      fmt::format("POST / HTTP/1.0\r\nHost: localhost:{}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", server_->port());
  EXPECT_EQ(ask(old).result_int(), 400u);
}

TEST_F(AttackTest, AFoldedLineIsPartOfTheOneBefore) {
  start();
  auto client = connect();
  client.send(request("POST /", "X: a\r\n Content-Length: 5\r\n") + request("GET /"));
  EXPECT_EQ(client.reply().body(), "POST / ");
  EXPECT_EQ(client.reply().body(), "GET / ");
}

TEST_F(AttackTest, BrokenChunksAreRefused) {
  start();
  for (const auto* body :
       {"zz\r\nab\r\n0\r\n\r\n", "-1\r\nab\r\n0\r\n\r\n", "0x2\r\nab\r\n0\r\n\r\n", "10000000000000000\r\nab\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nab", "2\r\nabc\r\n0\r\n\r\n", " 2\r\nab\r\n0\r\n\r\n", "2 \r\nab\r\n0\r\n\r\n",
        "2\r\nab0\r\n\r\n", "\r\n\r\n", "2\r\nab\r\n0\r\nContent-Length: 3\r\n\r\n"})
    expect_refused(with_host("Transfer-Encoding: chunked\r\n\r\n") + body, 400);
  expect_refused(with_host("Transfer-Encoding: chunked\r\n\r\n2;") + std::string(200'000, 'x'), 400);
  expect_refused(with_host("Transfer-Encoding: chunked\r\n\r\n0\r\nX: ") + std::string(200'000, 'x'), 400);
}

TEST_F(AttackTest, TrailersDoNotBecomeHeaders) {
  start();
  auto client = connect();
  client.send(with_host("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nOrigin: http://evil.example\r\n\r\n") +
              request("GET /"));
  EXPECT_EQ(client.reply().body(), "POST / {}");
  EXPECT_EQ(client.reply().body(), "GET / ");
}

TEST_F(AttackTest, WhatIsNoHttpIsRefused) {
  start();
  for (const auto* bytes :
       {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 hello\r\n\r\n", "\r\n\r\n", "GET\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n", "GET /\tHTTP/1.1\r\n\r\n", "G@T / HTTP/1.1\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n"})
    expect_refused(bytes, std::string_view(bytes).contains("a b") ? 505 : 400);
  expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
  expect_refused("GET / HTTP/0.9\r\n\r\n", 505);
  expect_refused(request("GET http:///"), 400);
  expect_refused(request("GET ftp://localhost/"), 400);
  expect_refused(request("CONNECT localhost:1"), 400);
  expect_refused(request("GET /#x"), 400);
  expect_refused(request("GET /?a=%zz"), 400);
  expect_refused(request("GET /?a=%00"), 400);
  expect_refused(request("POST /", "Expect: 200-maybe\r\n"), 417);
}

TEST_F(AttackTest, TraversalIsMalformed) {
  start();
  for (const auto* path : {"/files/..", "/files/%2e%2e", "/files/.%2E", "/files/.", "/files/..%2f..%2fetc%2fpasswd",
                           "/files/%2e%2e%5cetc", "/files//", "/files/a%00", "/files/a%0d%0aSet-Cookie:x",
                           "/files/%c0%ae%c0%ae", "/files/%ff", "/files/%", "/files/%4", "/files/../files/a", "//files/a"}) {
    EXPECT_EQ(ask(request(fmt::format("GET {}", path))).result_int(), 400u) << path;
  }
  EXPECT_EQ(handled_, 0);
  EXPECT_EQ(ask(request("GET /files/%252e%252e")).body(), "GET /files/%2e%2e  {name=%2e%2e}")
      << "decoded once, a name like any other";
  EXPECT_EQ(ask(request("GET /files/..;a=b")).body(), "GET /files/..;a=b  {name=..;a=b}") << "';' has no meaning";
}

class BindTest : public testing::TestWithParam<const char*> {};

TEST_P(BindTest, OnlyLoopbackIsServed) {
  asio::io_context io;
  Router router;
  Server server(io.get_executor(), router, {.host = GetParam(), .port = 0});
  auto started = server.start();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, Code::forbidden);
  EXPECT_THAT(started.error().message, HasSubstr(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Foreign, BindTest,
                         testing::Values("0.0.0.0", "::", "192.168.1.1", "10.0.0.1", "8.8.8.8", "example.com", "", "localhost.",
                                         "::ffff:127.0.0.1", "::ffff:0.0.0.0", "fe80::1", "0", "*"));

TEST(Bind, LoopbackIsServedAndATakenPortIsNamed) {
  asio::io_context io;
  Router router;
  for (const auto* host : {"127.0.0.1", "localhost", "127.0.0.7"}) {
    Server first(io.get_executor(), router, {.host = host, .port = 0});
    ASSERT_TRUE(first.start().has_value()) << host;
    ASSERT_GT(first.port(), 0);
    Server second(io.get_executor(), router, {.host = host, .port = first.port()});
    auto started = second.start();
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, Code::io);
    EXPECT_THAT(started.error().message, HasSubstr(fmt::format("{} port {}", host, first.port())));
  }
  io.run();
}

}  // namespace
}  // namespace lo::http
