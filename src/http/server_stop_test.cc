// The end of a server: what ends at once, what gets its grace, and that it is told when all is over.
#include <gmock/gmock.h>

#include "http/server_handlers.h"

namespace lo::http {
namespace {

class StopTest : public ServerTest {};

TEST_F(StopTest, StopClosesIdleConnectionsAtOnce) {
  add("GET", "/", echo);
  start();
  auto fresh = connect();
  auto slow = connect();
  slow.send("GET / HTTP/1.1\r\nHost:");  // half a header is no request
  auto used = connect();
  used.send(request("GET /"));
  used.reply();
  EXPECT_TRUE(stop(std::chrono::hours(1)));
  EXPECT_TRUE(used.closed());
  EXPECT_FALSE(connect().connected());
}

TEST_F(StopTest, StopEndsStreamsProperly) {
  Flag ended;
  add("GET", "/", streams([=](BodyWriter& writer) -> Awaitable<void> {
        RaisesAtEnd end{ended};
        co_await writer.write("first");
        co_await forever();
      }));
  start();
  auto client = connect();
  client.send(request("GET /"));
  client.read_until("first\r\n");
  auto done = std::async(std::launch::async, [&] { return stop(std::chrono::hours(1)); });
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(client.closed());
  client.close();
  EXPECT_TRUE(ended.raised());
  EXPECT_TRUE(done.get());
}

TEST_F(StopTest, StopLetsARunningRequestEnd) {
  Gate gate;
  add("GET", "/", [=](Request&) -> Awaitable<Response> {
    co_await gate.wait();
    co_return text_response(200, "text/plain", "done");
  });
  start();
  auto client = connect();
  client.send(request("GET /"));
  ASSERT_TRUE(gate.reached());
  auto done = std::async(std::launch::async, [&] { return stop(std::chrono::hours(1)); });
  gate.open();
  EXPECT_EQ(client.reply().body(), "done");
  client.close();
  EXPECT_TRUE(done.get());
}

TEST_F(StopTest, StopCancelsWhatOutlastsItsGrace) {
  Flag begun;
  Flag ended;
  add("POST", "/", stuck(begun, ended));
  start();
  auto client = connect();
  client.send(post("/", "{}"));
  ASSERT_TRUE(begun.raised());
  EXPECT_TRUE(stop(std::chrono::milliseconds(1)));
  EXPECT_TRUE(ended.raised());
}

TEST_F(StopTest, StopIsDoneEvenWhenAHandlerNeverEnds) {
  Gate gate;
  add("GET", "/", [=](Request&) -> Awaitable<Response> {
    co_await gate.wait();
    co_return Response{};
  });
  start();
  auto client = connect();
  client.send(request("GET /"));
  ASSERT_TRUE(gate.reached());
  EXPECT_TRUE(stop());
  EXPECT_TRUE(stop()) << "and again";
  gate.open();
}

TEST_F(StopTest, StopIsDoneEachTimeItIsAsked) {
  start();
  EXPECT_TRUE(stop());
  EXPECT_TRUE(stop(std::chrono::hours(1)));
}

TEST_F(StopTest, StopAmidManyClients) {
  add("GET", "/", echo);
  add("GET", "/events", streams([](BodyWriter& writer) -> Awaitable<void> {
        for (;;) {
          auto alive = co_await writer.write("x");
          if (!alive) co_return;
          asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::microseconds(100));
          co_await pause.async_wait(asio::use_awaitable);
        }
      }));
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect());
    clients.back().send(request(i % 3 == 0 ? "GET /" : "GET /events"));
  }
  for (int i = 0; i < 100; i += 5) clients[static_cast<std::size_t>(i)].close();
  EXPECT_TRUE(stop(std::chrono::hours(1)));
}

}  // namespace
}  // namespace lo::http
