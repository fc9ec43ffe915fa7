// What is too large, too slow or too many.
#include <gmock/gmock.h>

#include "http/server_attacks.h"
#include "http/server_handlers.h"

namespace lo::http {
namespace {

using testing::HasSubstr;

class LimitTest : public AttackTest {};

TEST_F(LimitTest, LargeHeadersAre431) {
  options_.header_limit = 4096;
  start();
  expect_refused(request("GET /" + std::string(10'000, 'a')), 431);
  expect_refused(request("GET /", fmt::format("X: {}\r\n", std::string(10'000, 'a'))), 431);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += fmt::format("X{}: y\r\n", i);
  expect_refused(request("GET /", many), 431);
  expect_refused("GET /" + std::string(1 << 20, 'a'), 431);  // a line that never ends
}

TEST_F(LimitTest, LargeBodiesAre413) {
  options_.body_limit = 1000;
  start();
  auto exact = std::string(1000, 'a');
  EXPECT_EQ(ask(post("/", exact)).result_int(), 200u);
  handled_ = 0;
  expect_refused(with_host("Content-Length: 1001000\r\n\r\n"), 413);  // announced, never sent
  expect_refused(with_host("Content-Length: 18446744073709551615\r\n\r\n"), 413);
  expect_refused(with_host(fmt::format("Transfer-Encoding: chunked\r\n\r\n3e9\r\n{}", std::string(1001, 'a'))), 413);
  std::string chunks;
  for (int i = 0; i < 600; ++i) chunks += "2\r\nab\r\n";
  expect_refused(with_host("Transfer-Encoding: chunked\r\n\r\n") + chunks, 413);
  EXPECT_EQ(ask(post("/", exact + "a")).result_int(), 413u);
}

TEST_F(LimitTest, AClientThatSendsOnReadsItsRefusal) {
  options_.body_limit = 1000;
  start();
  auto client = connect();
  client.send(with_host("Content-Length: 20000000\r\n\r\n"));
  client.send(std::string(20'000'000, 'a'));
  EXPECT_EQ(client.reply().result_int(), 413u);
}

TEST_F(LimitTest, TruncatedBodiesAreRefused) {
  start();
  for (const auto& bytes : {with_host("Content-Length: 10\r\n\r\n{}"), with_host("Transfer-Encoding: chunked\r\n\r\n5\r\n{}"),
                            with_host("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
                            with_host("Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n")}) {
    auto client = connect();
    client.send(bytes);
    client.finish();
    EXPECT_EQ(client.reply().result_int(), 400u) << bytes;
  }
  EXPECT_EQ(handled_, 0);
}

TEST_F(LimitTest, SlowHeadersAre408) {
  options_.header_timeout = std::chrono::milliseconds(50);
  start();
  expect_refused("GET / HTT", 408);
  auto silent = connect();
  EXPECT_TRUE(silent.closed()) << "one that never says a word gets none";
}

TEST_F(LimitTest, DrippingHeadersAre408) {
  options_.header_timeout = std::chrono::milliseconds(200);
  start();
  auto client = connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n"));
  timeval moment{.tv_sec = 0, .tv_usec = 5'000};
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
  std::string answer = "<timeout>";
  for (int i = 0; i < 10'000 && answer == "<timeout>"; ++i) {
    client.send("X: y\r\n");
    answer = client.read_some();
  }
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 408"));
}

TEST_F(LimitTest, SlowBodiesAre408) {
  options_.body_timeout = std::chrono::milliseconds(50);
  start();
  expect_refused(with_host("Content-Length: 10\r\n\r\n{}"), 408);
  expect_refused(with_host("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), 408);
}

TEST_F(LimitTest, DrippingBodiesAre408) {
  options_.body_timeout = std::chrono::milliseconds(200);
  options_.body_rate = 1'000'000;
  start();
  auto client = connect();
  ASSERT_TRUE(client.send(with_host("Content-Length: 100000\r\n\r\n")));
  timeval moment{.tv_sec = 0, .tv_usec = 5'000};
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
  std::string answer = "<timeout>";
  for (int i = 0; i < 10'000 && answer == "<timeout>"; ++i) {
    client.send("x");
    answer = client.read_some();
  }
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 408"));
}

TEST_F(LimitTest, IdleConnectionsAreClosed) {
  options_.idle_timeout = std::chrono::milliseconds(50);
  start();
  auto client = connect();
  client.send(request("GET /"));
  EXPECT_EQ(client.reply().result_int(), 200u);
  EXPECT_TRUE(client.closed());
}

TEST_F(LimitTest, AClientThatDoesNotReadIsDropped) {
  options_.write_timeout = std::chrono::milliseconds(50);
  Flag ended;
  add("GET", "/big", streams([=](BodyWriter& writer) -> Awaitable<void> {
        RaisesAtEnd end{ended};
        std::string block(1 << 20, 'x');
        auto alive = true;
        while (alive) alive = co_await writer.write(block);
      }));
  start();
  auto client = connect();
  client.send(request("GET /big"));
  EXPECT_TRUE(ended.raised());
}

TEST_F(LimitTest, ServesOthersWhileHundredsStall) {
  start();
  std::vector<RawClient> stalled;
  for (int i = 0; i < 400; ++i) {
    stalled.push_back(connect());
    stalled.back().send("POST / HTTP/1.1\r\nHost: loc");
  }
  EXPECT_EQ(ask(request("GET /")).result_int(), 200u);
}

}  // namespace
}  // namespace lo::http
