#include "dataset/poster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "dataset/test_server.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

constexpr UrlPolicy kPrivate{.allow_private = true};

std::future<Result<PostAnswer>> begin(Poster& poster, const std::string& url) {
  auto promise = std::make_shared<std::promise<Result<PostAnswer>>>();
  poster.post({.url = url, .headers = {{"X-Test", "1"}}, .body = "{}"},
              [promise](Result<PostAnswer> answer) { promise->set_value(std::move(answer)); });
  return promise->get_future();
}

Result<PostAnswer> post(const std::string& url, PosterOptions options = {.policy = kPrivate}) {
  Poster poster(options);
  return begin(poster, url).get();
}

std::string status(const std::string& line, const std::string& headers = "") {
  return "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n" + headers + "\r\n";
}

TEST(Poster, GivesWhateverStatusIsAnswered) {
  TestServer server({{"/200", ok("fine")}, {"/410", status("410 Gone")}, {"/503", status("503 Busy", "Retry-After: 7\r\n")}});
  EXPECT_EQ(post(server.url("/200"))->status, 200);
  EXPECT_EQ(post(server.url("/410"))->status, 410);
  auto busy = post(server.url("/503"));
  EXPECT_EQ(busy->status, 503);
  EXPECT_EQ(busy->retry_after, std::chrono::seconds(7));
}

TEST(Poster, FollowsNoRedirect) {
  TestServer server({{"/away", status("307 Away", "Location: /200\r\n")}, {"/200", ok("")}});
  EXPECT_EQ(post(server.url("/away"))->status, 307);
}

TEST(Poster, ALongAnswerIsCut) {
  TestServer server({{"/long", std::string(TestServer::kHold) + "HTTP/1.1 200 OK\r\n\r\n" + std::string(200'000, 'x')}});
  EXPECT_EQ(post(server.url("/long"))->status, 200) << "though the connection stays open";
}

TEST(Poster, RefusedAddressesAreNotConnectedTo) {
  TestServer server({{"/", ok("")}});
  EXPECT_EQ(post(server.url("/"), {}).error().code, Code::unacceptable);
  auto port = server.url("/").substr(std::string("http://127.0.0.1").size());
  auto by_name = post("http://localhost" + port, {});
  EXPECT_EQ(by_name.error().code, Code::forbidden) << by_name.error().message;
  EXPECT_EQ(post("http://169.254.169.254/").error().code, Code::unacceptable);
  EXPECT_EQ(post("file:///etc/passwd").error().code, Code::unacceptable);
}

TEST(Poster, SilenceAndSlownessTimeOut) {
  TestServer server({{"/silent", std::string(TestServer::kHold)},
                     {"/slow", std::string(TestServer::kHold) + "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"}});
  PosterOptions hasty{.policy = kPrivate, .timeout = std::chrono::milliseconds(50)};
  EXPECT_EQ(post(server.url("/silent"), hasty).error().code, Code::timeout);
  EXPECT_EQ(post(server.url("/slow"), hasty).error().code, Code::timeout);
}

TEST(Poster, WhoIsNotThereIsAnError) {
  auto nobody = post("http://127.0.0.1:1/hook");
  EXPECT_EQ(nobody.error().code, Code::io);
  EXPECT_THAT(nobody.error().message, HasSubstr("http://127.0.0.1:1/hook"));
}

TEST(Poster, ASilentReceiverHoldsUpNoOther) {
  TestServer server({{"/silent", std::string(TestServer::kHold)}, {"/200", ok("")}});
  Poster poster({.policy = kPrivate});
  auto silent = begin(poster, server.url("/silent"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(begin(poster, server.url("/200")).get()->status, 200);
  poster.cancel();
  EXPECT_EQ(silent.get().error().code, Code::cancelled);
  EXPECT_EQ(begin(poster, server.url("/200")).get().error().code, Code::cancelled);
}

TEST(Poster, TheOthersWaitForAPlace) {
  TestServer server({{"/200", ok("")}});
  Poster poster({.policy = kPrivate, .most_at_once = 2});
  std::vector<std::future<Result<PostAnswer>>> all;
  for (int i = 0; i < 50; ++i) all.push_back(begin(poster, server.url("/200")));
  for (auto& one : all) EXPECT_EQ(one.get()->status, 200);
}

}  // namespace
}  // namespace lo::dataset
