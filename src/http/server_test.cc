// What a server does for a client that means well.
#include "http/server.h"

#include <gmock/gmock.h>

#include "http/server_fixture.h"

namespace lo::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ServerTest, AnswersWithParametersAndQuery) {
  add("GET", "/api/{name}", echo);
  start();
  auto reply = ask(request("GET /api/a%20b?query={}&limit=2"));
  EXPECT_EQ(reply.result_int(), 200u);
  EXPECT_EQ(reply.body(), "GET /api/a b  {name=a b} ?query={} ?limit=2");
  EXPECT_EQ(reply["Content-Type"], "text/plain");
}

TEST_F(ServerTest, EveryAnswerCarriesWhatGuardsBrowsers) {
  add("GET", "/", echo);
  start();
  for (const auto* line : {"GET /", "GET /nothing"}) {
    auto reply = ask(request(line));
    EXPECT_EQ(reply["X-Content-Type-Options"], "nosniff");
    EXPECT_EQ(reply["X-Frame-Options"], "DENY");
    EXPECT_EQ(reply["Content-Security-Policy"], "frame-ancestors 'none'");
    EXPECT_EQ(reply["Cache-Control"], "no-store");
    EXPECT_EQ(reply.count("Access-Control-Allow-Origin"), 0u);
  }
}

TEST_F(ServerTest, KeepsTheConnection) {
  add("POST", "/", echo);
  start();
  auto client = connect();
  for (int i = 0; i < 5; ++i) {
    client.send(post("/", fmt::format("{}", i)));
    EXPECT_EQ(client.reply().body(), fmt::format("POST / {}", i));
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  add("GET", "/{n}", echo);
  start();
  auto client = connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += request(fmt::format("GET /{}", i));
  client.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_THAT(client.reply().body(), HasSubstr(fmt::format("n={}", i)));
}

TEST_F(ServerTest, TakesARequestByteByByte) {
  add("POST", "/", echo);
  start();
  auto client = connect();
  for (char c : post("/", "[1, 2]")) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.reply().body(), "POST / [1, 2]");
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  add("GET", "/", echo);
  start();
  auto client = connect();
  client.send(request("GET /", "Connection: close\r\n"));
  auto reply = client.reply();
  EXPECT_EQ(reply["Connection"], "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(ServerTest, SpeaksHttp10) {
  add("GET", "/", echo);
  add("GET", "/stream", [](Request&) -> Awaitable<Response> {
    co_return Response{.status = 200, .headers = {}, .body = StreamBody([](BodyWriter& writer) -> Awaitable<void> {
                                                       co_await writer.write("one ");
                                                       co_await writer.write("two");
                                                     })};
  });
  start();
  auto plain = fmt::format("GET / HTTP/1.0\r\nHost: localhost:{}\r\n\r\n", server_->port());
  EXPECT_EQ(ask(plain).body(), "GET / ");
  auto stream = fmt::format("GET /stream HTTP/1.0\r\nHost: localhost:{}\r\n\r\n", server_->port());
  auto reply = ask(stream);
  EXPECT_EQ(reply.body(), "one two");
  EXPECT_FALSE(reply.chunked());
}

TEST_F(ServerTest, TakesTheAbsoluteForm) {
  add("GET", "/a", echo);
  start();
  auto line = fmt::format("GET http://127.0.0.1:{}/a?x=1", server_->port());
  EXPECT_EQ(ask(request(line)).body(), "GET /a  ?x=1");
}

TEST_F(ServerTest, HeadIsGetWithoutBody) {
  add("GET", "/", echo);
  start();
  auto client = connect();
  client.send(request("HEAD /"));
  auto reply = client.reply(true);
  EXPECT_EQ(reply.result_int(), 200u);
  EXPECT_EQ(reply["Content-Length"], "7");
  client.send(request("GET /"));
  EXPECT_EQ(client.reply().body(), "GET / ");
}

TEST_F(ServerTest, HeadOfAStreamDoesNotRunIt) {
  auto ran = std::make_shared<std::atomic<bool>>(false);
  add("GET", "/", [ran](Request&) -> Awaitable<Response> {
    co_return Response{.status = 200, .headers = {}, .body = StreamBody([ran](BodyWriter&) -> Awaitable<void> {
                                                       *ran = true;
                                                       co_return;
                                                     })};
  });
  start();
  auto client = connect();
  client.send(request("HEAD /", "Connection: close\r\n"));
  EXPECT_EQ(client.reply(true).result_int(), 200u);
  EXPECT_TRUE(client.closed());
  EXPECT_FALSE(*ran);
}

TEST_F(ServerTest, OptionsAndWrongVerbsNameWhatIsPossible) {
  add("GET", "/a", echo);
  add("DELETE", "/a", echo);
  start();
  auto options = ask(request("OPTIONS /a"));
  EXPECT_EQ(options.result_int(), 204u);
  EXPECT_EQ(options["Allow"], "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(options.count("Content-Length"), 0u);
  auto wrong = ask(request("POST /a"));
  EXPECT_EQ(wrong.result_int(), 405u);
  EXPECT_EQ(wrong["Allow"], "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(ask(request("OPTIONS *")).result_int(), 204u);
}

TEST_F(ServerTest, ProblemsAreJson) {
  start();
  auto reply = ask(request("GET /nothing?x=1"));
  EXPECT_EQ(reply.result_int(), 404u);
  EXPECT_EQ(reply["Content-Type"], "application/problem+json");
  auto body = parse_json_object(reply.body());
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->at("instance"), "/nothing?x=1");
  EXPECT_EQ(body->at("status"), 404);
  EXPECT_EQ(body->at("title"), "Not Found");
}

TEST_F(ServerTest, AThrowingHandlerIsA500AndTheServerLives) {
  add("GET", "/standard", [](Request&) -> Awaitable<Response> {
    throw std::runtime_error("secret");
    co_return Response{};
  });
  add("GET", "/odd", [](Request&) -> Awaitable<Response> {
    throw 7;
    co_return Response{};
  });
  start();
  auto client = connect();
  for (const auto* path : {"GET /standard", "GET /odd", "GET /standard"}) {
    client.send(request(path));
    auto reply = client.reply();
    EXPECT_EQ(reply.result_int(), 500u);
    EXPECT_THAT(reply.body(), testing::Not(HasSubstr("secret")));
  }
}

TEST_F(ServerTest, AResponseThatWouldForgeHeadersIsA500) {
  add("GET", "/", [](Request&) -> Awaitable<Response> {
    co_return Response{.status = 200, .headers = {{"Location", "/a\r\nSet-Cookie: x=1"}}, .body = std::string("x")};
  });
  start();
  auto reply = ask(request("GET /"));
  EXPECT_EQ(reply.result_int(), 500u);
  EXPECT_EQ(reply.count("Set-Cookie"), 0u);
}

TEST_F(ServerTest, TellsItsObserver) {
  add("GET", "/{name}", echo);
  start();
  auto client = connect();
  client.send(request("GET /a") + request("GET /a/b") + request("BREW /a"));
  for (int i = 0; i < 3; ++i) client.reply();
  client.close();
  EXPECT_TRUE(stop());
  EXPECT_THAT(answers(), ElementsAre("GET /{name} 200", "GET  404", "OTHER  405"));
}

TEST_F(ServerTest, HandlersRunSideBySideOnManyConnections) {
  add("GET", "/", [](Request&) -> Awaitable<Response> {
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    co_return text_response(200, "text/plain", "late");
  });
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(connect());
  for (auto& client : clients) client.send(request("GET /") + request("GET /"));
  for (auto& client : clients)
    for (int i = 0; i < 2; ++i) EXPECT_EQ(client.reply().body(), "late");
}

TEST_F(ServerTest, MoreThanTheMostConnectionsWaitTheirTurn) {
  options_.max_connections = 2;
  add("GET", "/", echo);
  add("GET", "/third", echo);
  start();
  auto first = connect();
  auto second = connect();
  for (auto* client : {&first, &second}) {
    client->send(request("GET /"));
    EXPECT_EQ(client->reply().result_int(), 200u);
  }
  auto third = connect();  // the kernel takes it in, the server does not
  third.send(request("GET /third"));
  for (int i = 0; i < 20; ++i) {
    second.send(request("GET /"));
    EXPECT_EQ(second.reply().result_int(), 200u);
  }
  EXPECT_THAT(answers(), testing::Each("GET / 200"));
  first.close();
  EXPECT_EQ(third.reply().body(), "GET /third ");
}

TEST_F(ServerTest, DescriptorsAreClosedOnExec) {
  add("GET", "/", [](Request&) -> Awaitable<Response> {
    int open = 0;
    int inherited = 0;
    for (int fd = 3; fd < 256; ++fd) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
      ++open;
      if ((::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ++inherited;
    }
    co_return text_response(200, "text/plain", fmt::format("{} {}", open >= 3, inherited));
  });
  start();
  EXPECT_EQ(ask(request("GET /")).body(), "true 0");
}

}  // namespace
}  // namespace lo::http
