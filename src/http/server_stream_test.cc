// Bodies that are read or written piece by piece, and clients that leave meanwhile.
#include <gmock/gmock.h>

#include <algorithm>

#include "http/server_handlers.h"

namespace lo::http {
namespace {

using testing::HasSubstr;

Awaitable<Response> count_bytes(Request& request) {
  std::vector<char> some(10'000);
  std::size_t total = 0;
  for (;;) {
    auto got = co_await request.stream->read(some);
    if (!got) co_return problem_response(got.error(), request.target);
    if (*got == 0) break;
    if (!std::all_of(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(*got), [](char c) { return c == 'a'; })) break;
    total += *got;
  }
  co_return text_response(200, "text/plain", std::to_string(total));
}

class StreamTest : public ServerTest {
 protected:
  void add_upload(Handler handler) {
    auto& route = add("POST", "/upload", std::move(handler));
    route.streams_body = true;
    route.content_types = {"*"};
  }
  std::string upload(std::string_view lines, std::string_view body = "") const {
    return request("POST /upload", fmt::format("Content-Type: text/csv\r\n{}", lines), body);
  }
};

TEST_F(StreamTest, ReadsABodyLargerThanTheLimit) {
  options_.body_limit = 1000;
  add_upload(count_bytes);
  start();
  auto client = connect();
  for (int round = 0; round < 2; ++round) {
    client.send(upload("Content-Length: 30000000\r\n"));
    client.send(std::string(30'000'000, 'a'));
    EXPECT_EQ(client.reply().body(), "30000000");
  }
}

TEST_F(StreamTest, ReadsChunks) {
  add_upload(count_bytes);
  start();
  auto client = connect();
  client.send(upload("Transfer-Encoding: chunked\r\n"));
  std::size_t total = 0;
  for (std::size_t size : {1u, 2u, 9'999u, 10'000u, 10'001u, 65'536u, 1'000'000u}) {
    client.send(fmt::format("{:x};name=\"value\"\r\n{}\r\n", size, std::string(size, 'a')));
    total += size;
  }
  client.send("0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(client.reply().body(), std::to_string(total));
}

TEST_F(StreamTest, AnEmptyBodyEndsAtOnce) {
  add_upload(count_bytes);
  start();
  EXPECT_EQ(ask(upload("Content-Length: 0\r\n")).body(), "0");
  EXPECT_EQ(ask(upload("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")).body(), "0");
}

TEST_F(StreamTest, ContinueIsSaidWhenTheBodyIsWanted) {
  add_upload(count_bytes);
  start();
  auto client = connect();
  client.send(upload("Content-Length: 3\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("aaa");
  EXPECT_EQ(client.reply().body(), "3");
  client.send(upload("Content-Length: 3\r\nExpect: 100-continue\r\n", "aaa"));
  EXPECT_EQ(client.reply().result_int(), 200u) << "a body that is here needs no asking";
}

TEST_F(StreamTest, ContinueIsNotSaidToWhatIsRefused) {
  options_.body_limit = 10;
  add("POST", "/", echo);
  start();
  EXPECT_EQ(
      ask(request("POST /", "Content-Type: application/json\r\nContent-Length: 11\r\nExpect: 100-continue\r\n")).result_int(),
      413u);
  EXPECT_EQ(ask(request("POST /", "Content-Type: text/plain\r\nContent-Length: 9\r\nExpect: 100-continue\r\n")).result_int(),
            415u);
  EXPECT_EQ(ask(request("POST /no", "Content-Length: 9\r\nExpect: 100-continue\r\n")).result_int(), 404u);
}

TEST_F(StreamTest, AHandlerNeedNotReadAll) {
  add_upload([](Request&) -> Awaitable<Response> { co_return text_response(200, "text/plain", "enough"); });
  start();
  auto client = connect();
  client.send(upload("Content-Length: 10\r\n", "aaaaaaaaaa") + upload("Content-Length: 100000000\r\n", "aaa"));
  EXPECT_EQ(client.reply().body(), "enough") << "a small rest is swallowed";
  auto reply = client.reply();
  EXPECT_EQ(reply.body(), "enough");
  EXPECT_EQ(reply["Connection"], "close") << "a large one is not waited for";
}

TEST_F(StreamTest, AReaderSeesItsClientLeave) {
  Flag begun;
  auto seen = std::make_shared<std::promise<Code>>();
  add_upload([=](Request& request) -> Awaitable<Response> {
    char some[100];
    auto first = co_await request.stream->read(some);
    EXPECT_EQ(first.value_or(0), 3u);
    begun.raise();
    auto second = co_await request.stream->read(some);
    seen->set_value(second ? Code::internal : second.error().code);
    co_return problem_response(second.error(), "");
  });
  start();
  auto client = connect();
  client.send(upload("Content-Length: 10\r\n", "aaa"));
  ASSERT_TRUE(begun.raised());
  client.close();
  auto code = seen->get_future();
  ASSERT_EQ(code.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(code.get(), Code::io);
}

TEST_F(StreamTest, ABrokenBodyIsTheClientsFaultWhateverTheHandlerSays) {
  options_.body_timeout = std::chrono::milliseconds(50);
  add_upload([](Request& request) -> Awaitable<Response> {
    char some[100];
    for (auto got = co_await request.stream->read(some); got && *got > 0;) got = co_await request.stream->read(some);
    co_return text_response(201, "text/plain", "made");
  });
  start();
  EXPECT_EQ(ask(upload("Transfer-Encoding: chunked\r\n", "3\r\naaaXX\r\n")).result_int(), 400u);
  EXPECT_EQ(ask(upload("Content-Length: 10\r\n", "aaa")).result_int(), 408u);
}

TEST_F(StreamTest, SendsEventsInChunks) {
  add("GET", "/events", streams([](BodyWriter& writer) -> Awaitable<void> {
        for (int i = 1; i <= 3; ++i) {
          Event event{.id = std::to_string(i), .data = "x"};  // named: see README.md
          co_await writer.write(format_event(event));
        }
        co_await writer.write("");
        co_await writer.write(format_comment("end"));
      }));
  add("GET", "/", echo);
  start();
  auto client = connect();
  client.send(request("GET /events"));
  auto reply = client.reply();
  EXPECT_TRUE(reply.chunked());
  EXPECT_EQ(reply["Content-Type"], "text/event-stream");
  EXPECT_EQ(reply.body(), "id: 1\ndata: x\n\nid: 2\ndata: x\n\nid: 3\ndata: x\n\n: end\n\n");
  client.send(request("GET /"));
  EXPECT_EQ(client.reply().body(), "GET / ") << "the connection goes on after a stream";
}

TEST_F(StreamTest, AStreamThatThrowsIsCutNotEnded) {
  add("GET", "/", streams([](BodyWriter& writer) -> Awaitable<void> {
        co_await writer.write("half");
        throw std::runtime_error("broken");
      }));
  start();
  auto client = connect();
  client.send(request("GET /"));
  auto all = client.read_until("0\r\n\r\n");
  EXPECT_THAT(all, HasSubstr("half"));
  EXPECT_THAT(all, HasSubstr("<end>"));
}

TEST_F(StreamTest, AClientThatLeavesEndsItsStream) {
  Flag ended;
  add("GET", "/", streams([=](BodyWriter& writer) -> Awaitable<void> {
        RaisesAtEnd end{ended};
        co_await writer.write("first");
        co_await forever();
      }));
  start();
  auto client = connect();
  client.send(request("GET /"));
  client.read_until("first");
  client.close();
  EXPECT_TRUE(ended.raised());
}

TEST_F(StreamTest, AClientThatLeavesCancelsItsGet) {
  Flag begun;
  Flag ended;
  add("GET", "/", stuck(begun, ended));
  start();
  auto client = connect();
  client.send(request("GET /"));
  ASSERT_TRUE(begun.raised());
  client.close();
  EXPECT_TRUE(ended.raised());
}

TEST_F(StreamTest, AClientThatLeavesAfterPipeliningIsNoticedAsWell) {
  Flag begun;
  Flag ended;
  add("GET", "/", stuck(begun, ended));
  start();
  auto client = connect();
  client.send(request("GET /"));
  ASSERT_TRUE(begun.raised());
  client.send(request("GET /next"));
  client.close();
  EXPECT_TRUE(ended.raised());
}

TEST_F(StreamTest, AClientThatLeavesDoesNotStopAPost) {
  Gate gate;
  Flag ended;
  add("POST", "/", [=](Request&) -> Awaitable<Response> {
    co_await gate.wait();
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);  // where a cancelled one would throw
    ended.raise();
    co_return text_response(200, "text/plain", "done");
  });
  start();
  auto client = connect();
  client.send(post("/", "{}"));
  ASSERT_TRUE(gate.reached());
  client.close();
  gate.open();
  EXPECT_TRUE(ended.raised());
}

TEST_F(StreamTest, AClientThatOnlyEndedItsSideGetsItsAnswer) {
  Gate gate;
  add("POST", "/", [=](Request&) -> Awaitable<Response> {
    co_await gate.wait();
    co_return text_response(200, "text/plain", "done");
  });
  start();
  auto client = connect();
  client.send(post("/", "{}"));
  ASSERT_TRUE(gate.reached());
  client.finish();
  gate.open();
  EXPECT_EQ(client.reply().body(), "done");
  EXPECT_TRUE(client.closed());
}

TEST_F(StreamTest, APostThatAllowsItIsCancelled) {
  Flag begun;
  Flag ended;
  add("POST", "/", [=](Request& request) -> Awaitable<Response> {
    RaisesAtEnd end{ended};
    request.allow_cancel();
    begun.raise();
    co_await forever();
    co_return Response{};
  });
  start();
  auto client = connect();
  client.send(post("/", "{}"));
  ASSERT_TRUE(begun.raised());
  client.close();
  EXPECT_TRUE(ended.raised());
}

}  // namespace
}  // namespace lo::http
