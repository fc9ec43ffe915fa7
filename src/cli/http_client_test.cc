#include "cli/http_client.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "base/fd.h"
#include "base/id.h"
#include "cli/api_client.h"
#include "cli/event_stream.h"
#include "cli/testing/fake_server.h"

namespace lo::cli {
namespace {

using namespace std::chrono_literals;
using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::HasSubstr;

FakeReply echo(const FakeRequest& request) {
  json::object headers;
  for (const auto& [name, value] : request.headers) headers[name] = value;
  return {
      .body = json::serialize(json::object{
          {"method", request.method}, {"target", request.target}, {"body", request.body}, {"headers", std::move(headers)}})};
}

json::object sent(HttpClient& client, HttpRequest request) {
  auto answer = client.send(std::move(request));
  EXPECT_TRUE(answer) << answer.error().message;
  return json::parse(answer->body).as_object();
}

TEST(HttpClient, SendsMethodsBodiesAndHeaders) {
  FakeServer server(echo);
  HttpClient client(server.url(), -1);
  auto get = sent(client, {.path = "/a%20b?x=1"});
  EXPECT_EQ(get.at("method"), "GET");
  EXPECT_EQ(get.at("target"), "/a%20b?x=1");
  EXPECT_FALSE(get.at("headers").as_object().contains("Content-Type"));

  auto patch =
      sent(client, {.method = "PATCH", .path = "/x", .body = "{}", .content_type = "application/json", .headers = {"X-A: b"}});
  EXPECT_EQ(patch.at("method"), "PATCH");
  EXPECT_EQ(patch.at("body"), "{}");
  EXPECT_EQ(patch.at("headers").at("Content-Type"), "application/json");
  EXPECT_EQ(patch.at("headers").at("X-A"), "b");

  auto post = sent(client, {.method = "POST", .path = "/x"});
  EXPECT_EQ(post.at("headers").at("Content-Length"), "0");
  EXPECT_FALSE(post.at("headers").as_object().contains("Content-Type"));
  EXPECT_EQ(sent(client, {.method = "DELETE", .path = "/x"}).at("method"), "DELETE");
}

TEST(HttpClient, StreamsFilesOfAnySize) {
  std::size_t bytes = 0;
  std::string method, type;
  FakeServer server([&](const FakeRequest& request) {
    bytes = request.body.size();
    method = request.method;
    type = request.headers.at("Content-Type");
    return FakeReply{.body = request.headers.contains("Expect") ? "expects" : "plain"};
  });
  auto path = std::filesystem::temp_directory_path() / make_token();
  std::ofstream(path) << std::string(3'000'000, 'x');
  HttpClient client(server.url(), -1);
  auto answer = client.send({.method = "PATCH", .path = "/", .content_type = "text/csv", .file = path});
  std::filesystem::remove(path);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "plain");
  EXPECT_EQ(bytes, 3'000'000u);
  EXPECT_EQ(method, "PATCH");
  EXPECT_EQ(type, "text/csv");
  auto gone = client.send({.method = "POST", .path = "/", .file = path});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::io);
}

TEST(HttpClient, TellsThatNobodyAnswers) {
  std::string url = FakeServer(echo).url();
  HttpClient client(url, -1);
  auto answer = client.send({.path = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_THAT(answer.error().message, HasSubstr(url));
  EXPECT_EQ(HttpClient("no url", -1).send({.path = "/"}).error().code, Code::unacceptable);
  EXPECT_EQ(HttpClient("file:///etc", -1).send({.path = "/passwd"}).error().code, Code::unacceptable);
}

TEST(HttpClient, TellsThatTheConnectionBroke) {
  FakeServer server([](const FakeRequest&) { return FakeReply{.cut = true}; });
  HttpClient client(server.url(), -1);
  EXPECT_EQ(client.send({.method = "POST", .path = "/", .body = "x"}).error().code, Code::unavailable);
}

TEST(HttpClient, GivesUpOnSilence) {
  FakeServer server([](const FakeRequest&) { return FakeReply{.body = "begun", .keep_open = true}; });
  HttpClient client(server.url(), -1);
  auto answer = client.send({.path = "/", .silence = 1s});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
}

TEST(HttpClient, EndsWithAnInterrupt) {
  FakeServer server([](const FakeRequest&) { return FakeReply{.keep_open = true}; });
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  UniqueFd in(ends[0]), out(ends[1]);
  HttpClient client(server.url(), in.get());
  ASSERT_EQ(::write(out.get(), "x", 1), 1);
  EXPECT_EQ(client.send({.path = "/"}).error().code, Code::cancelled);
}

TEST(UrlEscaped, LeavesOnlyWhatIsSafe) { EXPECT_EQ(url_escaped("a-b_c.~/?%é\n"), "a-b_c.~%2F%3F%25%C3%A9%0A"); }

TEST(ErrorOf, ReadsProblemDetails) {
  auto error = error_of(
      {.status = 406,
       .content_type = "application/problem+json",
       .body =
           R"({"result":"r","detail":"two wrong","errors":[{"pointer":"/a","detail":"x"},{"pointer":"/b/0","detail":"y"}]})"});
  EXPECT_EQ(error.code, Code::unacceptable);
  EXPECT_EQ(error.message, "two wrong\n  /a: x\n  /b/0: y");
  EXPECT_EQ(error_of({.status = 406, .content_type = "", .body = R"({"detail":"d","errors":[{"pointer":"/a","detail":"d"}]})"})
                .message,
            "d (at /a)");
  EXPECT_EQ(error_of({.status = 404, .content_type = "", .body = R"({"result":"none"})"}).code, Code::not_found);
  EXPECT_EQ(error_of({.status = 503, .content_type = "", .body = ""}).code, Code::unavailable);
  EXPECT_EQ(error_of({.status = 502, .content_type = "", .body = ""}).message, "the server answered with status 502");
  EXPECT_EQ(error_of({.status = 500, .content_type = "", .body = "<html>"}).message, "<html>");
}

TEST(ApiClient, FindsSteps) {
  FakeServer server([](const FakeRequest& request) {
    if (request.target == "/api/learningOrchestra/v1/step/a%2Fb")
      return FakeReply{.body =
                           R"({"result":{"name":"a/b","service":"dataset/csv","status":"failed","finished":true,"revision":2,
          "reason":"error","exception":"E: x","stale":true,"staleReason":"s","wait":"w","seconds":1.5,
          "revisions":[{"revision":3,"operation":"transform/dataType","status":"failed","exception":"T: y"},
                       {"revision":2,"operation":"dataset/csv","status":"finished","request":{"q":1}}]}})"};
    if (request.target == "/api/learningOrchestra/v1/step/odd") return FakeReply{.body = R"({"result":{"name":"odd"}})"};
    if (request.target == "/api/learningOrchestra/v1/step/html") return FakeReply{.body = "<html>"};
    return FakeReply{.status = 404, .body = R"({"result":"no such step"})"};
  });
  HttpClient http(server.url(), -1);
  ApiClient api(http);
  auto step = api.find_step("a/b");
  ASSERT_TRUE(step && *step);
  const auto& view = **step;
  EXPECT_EQ(view.revision, 3) << "the newest, also when an older one is shown";
  EXPECT_EQ(view.made_by().revision, 2);
  EXPECT_EQ(view.made_by().request.at("q"), 1);
  EXPECT_EQ(view.seconds, 1.5);
  EXPECT_TRUE(view.stale && view.finished);
  auto none = api.find_step("none");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_EQ(api.find_step("odd").error().code, Code::corrupt);
  EXPECT_EQ(api.find_step("html").error().code, Code::corrupt);
}

TEST(ApiClient, ListsAllPages) {
  FakeServer server([](const FakeRequest& request) {
    EXPECT_THAT(request.target, HasSubstr("&type=dataset%2Fcsv&status=failed"));
    json::array page;
    for (int i = 0; i < (request.target.find("skip=0&") != std::string::npos ? 1000 : 7); ++i) page.push_back(json::object());
    return FakeReply{.body = json::serialize(json::object{{"result", page}})};
  });
  HttpClient http(server.url(), -1);
  auto steps = ApiClient(http).steps("dataset/csv", "failed");
  ASSERT_TRUE(steps) << steps.error().message;
  EXPECT_EQ(steps->size(), 1007u);
}

TEST(ApiClient, ProbesForItsOwnKind) {
  std::string body = R"({"result":[]})";
  FakeServer server([&](const FakeRequest&) { return FakeReply{.body = body}; });
  HttpClient http(server.url(), -1);
  EXPECT_TRUE(ApiClient(http).probe());
  body = "<html>hello</html>";
  EXPECT_FALSE(ApiClient(http).probe());
}

// Reads until `count` events have come.
std::vector<SseEvent> read_events(EventStream& stream, std::size_t count) {
  std::vector<SseEvent> events;
  while (events.size() < count) {
    auto news = stream.next(10s);
    if (!news) break;
    events.insert(events.end(), news->events.begin(), news->events.end());
  }
  return events;
}

TEST(EventStream, GoesOnFromTheLastEventAfterACut) {
  std::atomic<int> opened = 0;
  std::string last_id;
  FakeServer server([&](const FakeRequest& request) {
    if (++opened > 1) last_id = request.headers.at("Last-Event-ID");
    return FakeReply{.body = fmt::format("id: {}\ndata: x\n\n", opened.load()), .keep_open = opened > 1, .cut = opened == 3};
  });
  HttpClient http(server.url(), -1);
  EventStream stream(http, "/stream");
  auto events = read_events(stream, 2);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].id, "2");
  EXPECT_EQ(last_id, "1");
  server.push("id: 9\ndata: pushed\n\n");
  EXPECT_EQ(read_events(stream, 1).at(0).data, "pushed");
}

TEST(EventStream, TellsThatItIsOpenAndThatItIsRefused) {
  std::atomic<bool> refuse = false;
  FakeServer server([&](const FakeRequest&) { return refuse ? FakeReply{.status = 404} : FakeReply{.keep_open = true}; });
  HttpClient http(server.url(), -1);
  EventStream stream(http, "/stream");
  Result<StreamNews> news;
  do news = stream.next(10s);
  while (news && !news->opened);
  ASSERT_TRUE(news);
  EXPECT_TRUE(news->events.empty());

  refuse = true;
  EventStream refused(http, "/stream");
  do news = refused.next(10s);
  while (news && !news->refused);
  EXPECT_FALSE(news->opened);
  EXPECT_EQ((*refused.ended())->status, 404);
}

}  // namespace
}  // namespace lo::cli
