#include "http/upstream.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>

#include "http/server_handlers.h"

namespace lo::http {
namespace {

using ::testing::HasSubstr;

// A server before the one of the fixture, which hands everything on to it.
class UpstreamTest : public ServerTest {
 protected:
  void start_both(bool streams_body = false) {
    start();
    back_ = fmt::format("http://127.0.0.1:{}", server_->port());
    auto hand_on = [this](Request& request) -> Awaitable<Response> {
      auto answer = co_await upstream_.send_on(back_, request);
      if (answer) co_return *std::move(answer);
      co_return problem_response(answer.error(), request.target);
    };
    for (const auto* method : {"GET", "POST"})
      front_router_.add({.method = method, .pattern = "/{path}", .handler = hand_on, .streams_body = streams_body && method == std::string_view("POST"), .content_types = {"*"}});
    front_ = std::make_unique<Server>(io_.get_executor(), front_router_, options_);
    ASSERT_TRUE(front_->start());
  }

  void TearDown() override {
    if (front_) {
      std::promise<void> stopped;
      front_->stop(std::chrono::milliseconds(0), [&] { stopped.set_value(); });
      stopped.get_future().wait();
    }
    ServerTest::TearDown();
  }

  RawClient connect_front() { return RawClient(front_->port()); }
  std::string to_front(std::string_view line, std::string_view more = "", std::string_view body = "") const {
    return fmt::format("{} HTTP/1.1\r\nHost: localhost:{}\r\n{}\r\n{}", line, front_->port(), more, body);
  }
  Reply ask_front(const std::string& text) {
    auto client = connect_front();
    client.send(text);
    return client.reply(text.starts_with("HEAD"));
  }

  std::string back_;
  std::atomic<bool> is_right_ = true;
  const Upstream upstream_ = Upstream::make("", [this](const std::string&) { return is_right_.load(); }).value();
  Router front_router_;
  std::unique_ptr<Server> front_;
};

TEST_F(UpstreamTest, RequestAndAnswerArriveAsTheyAre) {
  add("POST", "/{path}", [](Request& request) -> Awaitable<Response> {
    auto response = text_response(201, "text/x-test", fmt::format("{} {} {}", request.target, request.header("x-mine").value_or("none"), request.body));
    response.headers.emplace_back("ETag", "\"7\"");
    response.headers.emplace_back("Link", "<a>; rel=x");
    response.headers.emplace_back("Link", "<b>; rel=y");
    co_return response;
  });
  start_both();
  auto reply = ask_front(to_front("POST /a?x=%20y&x=2", "X-Mine: yes\r\nContent-Type: application/json\r\nContent-Length: 2\r\n", "{}"));
  EXPECT_EQ(reply.result_int(), 201U);
  EXPECT_EQ(reply.body(), "/a?x=%20y&x=2 yes {}");
  EXPECT_EQ(reply["ETag"], "\"7\"");
  EXPECT_EQ(reply["Content-Type"], "text/x-test");
  EXPECT_EQ(reply.count("Link"), 2U);
  EXPECT_EQ(reply.count("Date"), 1U);
  EXPECT_EQ(reply.count("Content-Length"), 1U);
}

TEST_F(UpstreamTest, TargetThatNamesTheFirstServerIsTheSecondsOwn) {
  add("GET", "/{path}", echo);
  start_both();
  auto reply = ask_front(to_front(fmt::format("GET http://localhost:{}/a?x=1", front_->port())));
  EXPECT_EQ(reply.result_int(), 200U);
  EXPECT_EQ(reply.body(), "GET /a  {path=a} ?x=1");
}

TEST_F(UpstreamTest, OneConnectionServesAllRequestsOfAClient) {
  std::set<void*> kept;
  add("GET", "/{path}", [&](Request& request) -> Awaitable<Response> {
    kept.insert(request.kept);
    co_return text_response(200, "text/plain", "x");
  });
  start_both();
  auto client = connect_front();
  for (int i = 0; i < 5; ++i) {
    client.send(to_front("GET /a"));
    EXPECT_EQ(client.reply().body(), "x");
  }
  EXPECT_EQ(kept.size(), 1U);
}

TEST_F(UpstreamTest, LongAnswersAndAnswersWithoutLengthAreStreamed) {
  const std::string piece(100'000, 'p');
  add("GET", "/long", [&](Request&) -> Awaitable<Response> { co_return text_response(200, "text/plain", std::string(3'000'000, 'l')); });
  add("GET", "/pieces", streams([&](BodyWriter& writer) -> Awaitable<void> {
        for (int i = 0; i < 30; ++i) co_await writer.write(piece);
      }));
  start_both();
  auto client = connect_front();
  client.send(to_front("GET /long"));
  EXPECT_EQ(client.reply().body(), std::string(3'000'000, 'l'));
  client.send(to_front("GET /pieces"));
  EXPECT_EQ(client.reply().body(), std::string(3'000'000, 'p'));
  client.send(to_front("HEAD /long"));
  EXPECT_EQ(client.reply(true).result_int(), 200U);
  client.send(to_front("GET /pieces"));
  EXPECT_EQ(client.reply().body().size(), 3'000'000U);
}

TEST_F(UpstreamTest, WhatIsStreamedComesAtOnceAndItsEndIsNoticed) {
  Flag ended;
  add("GET", "/{path}", streams([&](BodyWriter& writer) -> Awaitable<void> {
        RaisesAtEnd end{ended};
        co_await writer.write("first");
        co_await forever();
      }));
  start_both();
  auto client = connect_front();
  client.send(to_front("GET /a"));
  EXPECT_THAT(client.read_until("first"), HasSubstr("first"));
  client.close();
  EXPECT_TRUE(ended.raised());
}

TEST_F(UpstreamTest, ClientThatLeavesBeforeTheAnswerEndsTheRequestThere) {
  Flag begun, ended;
  add("GET", "/{path}", stuck(begun, ended));
  start_both();
  auto client = connect_front();
  client.send(to_front("GET /a"));
  EXPECT_TRUE(begun.raised());
  client.close();
  EXPECT_TRUE(ended.raised());
}

TEST_F(UpstreamTest, UploadsArePassedOnWhileTheyCome) {
  auto& route = add("POST", "/{path}", [](Request& request) -> Awaitable<Response> {
    std::vector<char> some(10'000);
    std::size_t all = 0;
    for (;;) {
      auto read = co_await request.stream->read(some);
      if (!read || *read == 0) co_return text_response(read ? 200 : 400, "text/plain", fmt::to_string(all));
      all += *read;
    }
  });
  route.streams_body = true;
  route.content_types = {"*"};
  start_both(true);
  auto reply = ask_front(to_front("POST /a", "Content-Type: text/csv\r\nContent-Length: 3000000\r\n", std::string(3'000'000, 'u')));
  EXPECT_EQ(reply.result_int(), 200U);
  EXPECT_EQ(reply.body(), "3000000");
}

TEST_F(UpstreamTest, UploadThatIsCutOffIsNotTakenForWhole) {
  Flag failed;
  auto& route = add("POST", "/{path}", [&](Request& request) -> Awaitable<Response> {
    std::vector<char> some(10'000);
    for (;;) {
      auto read = co_await request.stream->read(some);
      if (read && *read > 0) continue;
      if (!read) failed.raise();
      co_return text_response(200, "text/plain", "");
    }
  });
  route.streams_body = true;
  route.content_types = {"*"};
  start_both(true);
  auto client = connect_front();
  client.send(to_front("POST /a", "Content-Type: text/csv\r\nContent-Length: 3000000\r\n", std::string(1'000'000, 'u')));
  client.close();
  EXPECT_TRUE(failed.raised());
}

TEST_F(UpstreamTest, ServerThatIsNotThereIsToldFromOneThatWasLost) {
  add("GET", "/{path}", echo);
  start_both();
  back_ = "http://127.0.0.1:1";
  auto reply = ask_front(to_front("GET /a"));
  EXPECT_EQ(reply.result_int(), status_of(Code::unavailable));
  EXPECT_THAT(reply.body(), HasSubstr("the server at http://127.0.0.1:1 cannot be reached"));
}

TEST_F(UpstreamTest, ServerThatIsNoLongerTheRightOneIsNotWaitedFor) {
  Flag begun, ended;
  add("GET", "/{path}", stuck(begun, ended));
  start_both();
  auto client = connect_front();
  client.send(to_front("GET /a"));
  EXPECT_TRUE(begun.raised());
  is_right_ = false;
  auto reply = client.reply();
  EXPECT_EQ(reply.result_int(), status_of(Code::io));
  EXPECT_THAT(reply.body(), HasSubstr("was lost while it had the request"));
  EXPECT_TRUE(ended.raised());
}

TEST_F(UpstreamTest, AnswerThatIsCutOffCutsOffTheClientsToo) {
  add("GET", "/{path}", streams([&](BodyWriter& writer) -> Awaitable<void> {
        co_await writer.write("first");
        throw std::runtime_error("broken");
      }));
  start_both();
  auto client = connect_front();
  client.send(to_front("GET /a"));
  EXPECT_EQ(client.reply().result_int(), 599U);
}

TEST(ServerAddress, IsSchemeHostAndPort) {
  for (const auto* good : {"http://10.1.0.7:8000", "https://orchestra.example.org:443", "http://[fd00::1]:80"}) EXPECT_EQ(is_server_address(good), "") << good;
  for (const auto* bad : {"10.1.0.7:8000", "http://host", "ftp://host:1", "http://host:1/path", "http://user@host:1", "http://host:1?x", "http://:1", "http://host:0", ""})
    EXPECT_THAT(is_server_address(bad), HasSubstr("is no address of a server")) << bad;
}

}  // namespace
}  // namespace lo::http
