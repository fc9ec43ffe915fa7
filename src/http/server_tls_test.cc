// TLS: the server's own.
#include <gmock/gmock.h>

#include <csignal>

#include "base/testing/temporary_folder.h"
#include "http/server_fixture.h"
#include "http/testing/certificate.h"

namespace lo::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class TlsTest : public ServerTest {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // of the client, which writes to a server that has left
    auto files = make_certificate(folder_.path(), "first");
    options_.access.tls = std::make_shared<Current<TlsContext>>(read_tls(files.certificate, files.key).value());
    add("GET", "/", echo);
    add("POST", "/", echo);
    add("GET", "/large", [](Request&) -> Awaitable<Response> { co_return text_response(200, "text/plain", std::string(kLarge, 'x') + "end"); });
  }

  static constexpr std::size_t kLarge = 8 << 20;
  TemporaryFolder folder_;
};

TEST_F(TlsTest, RequestsAreAnsweredOnOneConnection) {
  start();
  auto socket = connect();
  TlsClient client(socket.fd());
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.protocol(), "http/1.1");
  EXPECT_TRUE(client.send(request("GET /")));
  EXPECT_THAT(client.read_until("GET / "), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(client.send(post("/", "{\"a\":1}")));
  EXPECT_THAT(client.read_until("{\"a\":1}"), HasSubstr("POST / "));
}

TEST_F(TlsTest, TheEndIsToldAndNothingIsCutOff) {
  start();
  auto socket = connect();
  TlsClient client(socket.fd());
  EXPECT_TRUE(client.send(request("GET /large", "Connection: close\r\n")));
  auto all = client.read_all();
  EXPECT_THAT(all.substr(all.size() - 4), "xend");
  EXPECT_GT(all.size(), kLarge);
  EXPECT_TRUE(client.told_the_end());
}

TEST_F(TlsTest, PagesAreTheServersOverHttpsOnly) {
  start();
  for (auto [scheme, status] : {std::pair("https", "200"), std::pair("http", "403")}) {
    auto socket = connect();
    TlsClient client(socket.fd());
    client.send(request("GET /", fmt::format("Origin: {}://localhost:{}\r\nConnection: close\r\n", scheme, server_->port())));
    EXPECT_THAT(client.read_all(), StartsWith(fmt::format("HTTP/1.1 {}", status))) << scheme;
  }
}

TEST_F(TlsTest, HttpInTheClearIsToldWhatToDo) {
  start();
  auto client = connect();
  client.send(request("GET /"));
  EXPECT_THAT(client.reply().body(), HasSubstr("https"));
}

TEST_F(TlsTest, NeitherTlsNorHttpEnds) {
  start();
  auto client = connect();
  client.send(std::string(8, '\0'));
  EXPECT_NE(client.read_some(), "<timeout>");
  auto garbled = connect();
  garbled.send("\x16\x03\x01 garbled, and long enough to be a record of it");
  EXPECT_NE(garbled.read_until("never").substr(0, 9), "<timeout>");
}

TEST_F(TlsTest, AHandshakeThatDoesNotComeEndsTheConnection) {
  options_.header_timeout = std::chrono::milliseconds(50);
  start();
  auto silent = connect();
  EXPECT_TRUE(silent.closed());
  auto begun = connect();
  begun.send("\x16");
  EXPECT_NE(begun.read_some(), "<timeout>");
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  start();
  auto socket = connect();
  EXPECT_FALSE(TlsClient(socket.fd(), TLS1_1_VERSION).connected());
  auto newer = connect();
  EXPECT_TRUE(TlsClient(newer.fd(), TLS1_2_VERSION).connected());
}

TEST_F(TlsTest, ANewCertificateCountsFromTheNextConnectionOn) {
  start();
  auto socket = connect();
  TlsClient before(socket.fd());
  auto files = make_certificate(folder_.path(), "second");
  options_.access.tls->set(read_tls(files.certificate, files.key).value());
  auto next = connect();
  EXPECT_EQ(TlsClient(next.fd()).server_name(), "second");
  EXPECT_EQ(before.server_name(), "first");
  EXPECT_TRUE(before.send(request("GET /")));
  EXPECT_THAT(before.read_until("GET / "), EndsWith("GET / "));
}

TEST_F(TlsTest, AClientThatLeavesEndsItsHandler) {
  auto ended = std::make_shared<std::promise<void>>();
  auto begun = std::make_shared<std::promise<void>>();
  add("GET", "/forever", [ended, begun](Request&) -> Awaitable<Response> {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    begun->set_value();
    try {
      co_await timer.async_wait(asio::use_awaitable);
    } catch (...) {
      ended->set_value();
      throw;
    }
    co_return Response();
  });
  start();
  auto socket = connect();
  TlsClient client(socket.fd());
  client.send(request("GET /forever"));
  ASSERT_EQ(begun->get_future().wait_for(kPatience), std::future_status::ready);
  socket.finish();
  socket.close();
  EXPECT_EQ(ended->get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(TlsTest, WhatIsNoCertificateIsNamed) {
  auto first = make_certificate(folder_.path(), "first");
  auto second = make_certificate(folder_.path(), "second");
  auto missing = read_tls(folder_.path() / "none.pem", first.key);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("none.pem"));
  auto mixed_up = read_tls(first.key, first.certificate);
  ASSERT_FALSE(mixed_up);
  EXPECT_THAT(mixed_up.error().message, HasSubstr("first.key is no certificate"));
  auto of_another = read_tls(first.certificate, second.key);
  ASSERT_FALSE(of_another);
  EXPECT_EQ(of_another.error().code, Code::unacceptable);
  EXPECT_THAT(of_another.error().message, testing::AllOf(HasSubstr("second.key"), HasSubstr("mismatch")));
}

}  // namespace
}  // namespace lo::http
