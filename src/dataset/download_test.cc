#include "dataset/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <future>

#include "dataset/test_server.h"
#include "dataset/test_util.h"

namespace lo::dataset {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr UrlPolicy kPrivate{.allow_private = true};
constexpr UrlPolicy kPublic{.allow_private = false};

Result<std::string> get(const std::string& url, DownloadOptions options = {.policy = kPrivate}, std::stop_token stop = {}) {
  auto source = open_url(url, options, std::move(stop));
  if (!source) return std::unexpected(source.error());
  std::string all;
  std::string some(65536, '\0');
  while (true) {
    auto got = (*source)->read(some);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return all;
    all.append(some, 0, *got);
  }
}

std::string redirect(const std::string& to) {
  return "HTTP/1.1 302 Found\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n";
}

std::string large_text() {
  std::string text;
  for (int i = 0; text.size() < (20 << 20); ++i) text += std::to_string(i) + ",x\n";
  return text;
}

TEST(Download, GivesTheBody) {
  TestServer server({{"/a.csv", ok("a,b\n1,2\n")}, {"/empty", ok("")}});
  EXPECT_EQ(get(server.url("/a.csv")), "a,b\n1,2\n");
  EXPECT_EQ(get(server.url("/empty")), "");
  auto source = open_url(server.url("/a.csv"), {.policy = kPrivate}).value();
  EXPECT_EQ(source->bytes_total(), 8);
}

TEST(Download, LargeBodiesComeWhole) {
  auto text = large_text();
  TestServer server({{"/large", ok(text)}, {"/until-close", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + text}});
  EXPECT_EQ(get(server.url("/large")).value() == text, true);
  EXPECT_EQ(get(server.url("/until-close")).value() == text, true);
}

TEST(Download, OtherAnswersAreErrors) {
  TestServer server({{"/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"},
                     {"/500", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"},
                     {"/html", ok("<p>log in first", "Text/HTML; charset=utf-8")},
                     {"/nothing", ""},
                     {"/garbage", "what is this\r\n\r\n"}});
  auto missing = get(server.url("/404")).error();
  EXPECT_EQ(missing.code, Code::not_found);
  EXPECT_THAT(missing.message, AllOf(HasSubstr(server.url("/404")), HasSubstr("404")));
  EXPECT_THAT(get(server.url("/500")).error().message, HasSubstr("500"));
  EXPECT_THAT(get(server.url("/html")).error().message, HasSubstr("web page"));
  EXPECT_EQ(get(server.url("/html"), {.policy = kPrivate, .accept_html = true}), "<p>log in first");
  EXPECT_EQ(get(server.url("/nothing")).error().code, Code::io);
  EXPECT_EQ(get(server.url("/garbage")).error().code, Code::io);
  EXPECT_EQ(get("http://127.0.0.1:1/refused").error().code, Code::io);
}

TEST(Download, BreakingOffIsAnError) {
  TestServer server({{"/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na,b\n1,2\n"},
                     {"/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n"}});
  auto broken = get(server.url("/short")).error();
  EXPECT_EQ(broken.code, Code::io);
  EXPECT_THAT(broken.message, HasSubstr("broke off after 8 of 100 bytes"));
  EXPECT_EQ(get(server.url("/chunks")).error().code, Code::io);
}

// A part of an answer from byte `first` on, of `total`.
std::string part(const std::string& body, int first, int total, const std::string& headers = "ETag: \"1\"\r\n") {
  auto from = std::to_string(first);
  return first == 0 ? "HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + std::to_string(total) + "\r\n\r\n" + body
                    : "HTTP/1.1 206 Partial Content\r\n" + headers + "Content-Range: bytes " + from + "-" + std::to_string(total - 1) + "/" +
                          std::to_string(total) + "\r\nContent-Length: " + std::to_string(total - first) + "\r\n\r\n" + body;
}

DownloadOptions patient(int tries) { return {.policy = kPrivate, .max_resumes = tries, .resume_pause = std::chrono::milliseconds(1)}; }

TEST(Download, GoesOnWhereItBrokeOff) {
  const std::string modified = "Last-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n";
  TestServer server({{"/a", part("0123", 0, 10)},
                     {"/a bytes=4-", part("45", 4, 10)},
                     {"/a bytes=6-", part("6789", 6, 10)},
                     {"/dated", part("0123", 0, 6, "ETag: W/\"weak\"\r\n" + modified)},
                     {"/dated bytes=4-", part("45", 4, 6, modified)}});
  EXPECT_EQ(get(server.url("/a"), patient(1)), "0123456789");  // each try brings something new
  EXPECT_EQ(get(server.url("/dated"), patient(1)), "012345");
  auto source = open_url(server.url("/a"), patient(1)).value();
  std::string some(4, '\0');
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(source->read(some));
  EXPECT_EQ(source->bytes_total(), 10);
  EXPECT_EQ(source->bytes_taken(), 10);
}

TEST(Download, GoesOnOnlyWithTheSameFile) {
  TestServer server({{"/unknown", part("0123", 0, 6, "")},
                     {"/unknown bytes=4-", part("45", 4, 6, "")},
                     {"/changed", part("0123", 0, 6)},
                     {"/changed bytes=4-", ok("another")},
                     {"/elsewhere", part("0123", 0, 6)},
                     {"/elsewhere bytes=4-", part("5", 5, 6)},
                     {"/shorter", part("0123", 0, 6)},
                     {"/shorter bytes=4-", "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n"}});
  EXPECT_THAT(get(server.url("/unknown"), patient(3)).error().message, HasSubstr("broke off after 4 of 6 bytes"));
  EXPECT_THAT(get(server.url("/changed"), patient(3)).error().message, HasSubstr("does not send the rest of the same file"));
  EXPECT_EQ(get(server.url("/elsewhere"), patient(3)).error().code, Code::io);
  EXPECT_THAT(get(server.url("/shorter"), patient(3)).error().message, HasSubstr("broke off after 4 of 6 bytes"));
}

TEST(Download, TriesToGoOnAreLimited) {
  TestServer server({{"/gone", part("0123", 0, 6)}, {"/gone bytes=4-", ""}, {"/busy", part("0123", 0, 6)},
                     {"/busy bytes=4-", "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nbusy!"}});
  EXPECT_EQ(get(server.url("/gone"), patient(3)).error().code, Code::io);
  EXPECT_EQ(get(server.url("/busy"), patient(3)).error().code, Code::io);
}

TEST(Download, AStopEndsThePauseBeforeTheNextTry) {
  TestServer server({{"/a", part("0123", 0, 6)}});
  std::stop_source stop;
  auto options = patient(1);
  options.resume_pause = std::chrono::hours(1);
  auto source = open_url(server.url("/a"), options, stop.get_token()).value();
  std::string some(4, '\0');
  ASSERT_EQ(source->read(some), 4U);
  BlockingPool pool(1);
  std::promise<Result<std::size_t>> rest;
  pool.post([&] { rest.set_value(source->read(some)); });
  stop.request_stop();
  EXPECT_EQ(rest.get_future().get().error().code, Code::cancelled);
}

TEST(Download, RedirectsAreFollowedFiveTimes) {
  TestServer server({{"/0", redirect("/1")},
                     {"/1", redirect("/2")},
                     {"/2", redirect("/3")},
                     {"/3", redirect("/4")},
                     {"/4", redirect("/5")},
                     {"/5", ok("here")},
                     {"/-1", redirect("/0")}});
  EXPECT_EQ(get(server.url("/0")), "here");
  EXPECT_THAT(get(server.url("/-1")).error().message, HasSubstr("more than 5 times"));
}

TEST(Download, EveryHopIsChecked) {
  TestServer server({{"/file", redirect("file:///etc/passwd")},
                     {"/meta", redirect("http://169.254.169.254/latest/")},
                     {"/mapped", redirect("http://[::ffff:169.254.169.254]/")},
                     {"/gopher", redirect("gopher://127.0.0.1:1/")}});
  for (std::string path : {"/file", "/meta", "/mapped", "/gopher"})
    EXPECT_EQ(get(server.url(path)).error().code, Code::forbidden) << path;
}

TEST(Download, TheConnectedAddressIsChecked) {
  TestServer server({{"/", ok("secret")}});
  auto port = server.url("").substr(server.url("").rfind(':'));
  auto by_name = get("http://localhost" + port + "/", {.policy = kPublic});  // the name passes check_url
  ASSERT_FALSE(by_name);
  EXPECT_EQ(by_name.error().code, Code::forbidden);
  EXPECT_EQ(get("http://localhost" + port + "/"), "secret");
}

TEST(Download, StopEndsAWaitAtOnce) {
  TestServer server({{"/slow", std::string(TestServer::kHold) + "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na,b"},
                     {"/silent", std::string(TestServer::kHold)}});
  for (std::string path : {"/slow", "/silent"}) {
    std::stop_source stop;
    BlockingPool pool(1);
    std::promise<Result<std::string>> promise;
    pool.post([&] { promise.set_value(get(server.url(path), {.policy = kPrivate}, stop.get_token())); });
    stop.request_stop();
    EXPECT_EQ(promise.get_future().get().error().code, Code::cancelled);
  }
}

TEST(Download, StallingRunsOutOfTime) {
  TestServer server({{"/slow", std::string(TestServer::kHold) + "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na,b"}});
  auto stalled = get(server.url("/slow"), {.policy = kPrivate, .timeout = std::chrono::seconds(1)});
  ASSERT_FALSE(stalled);
  EXPECT_EQ(stalled.error().code, Code::timeout);
}

class DownloadIngest : public FolderTest {};

TEST_F(DownloadIngest, StraightIntoATable) {
  TestServer server({{"/a.csv", ok("a,b\n1,2\n")}, {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na,b\n1,2\n"}});
  auto ingest = [&](const std::string& at) -> Result<store::Manifest> {
    LO_ASSIGN(auto source, open_url(server.url(at), {.policy = kPrivate}));
    LO_ASSIGN(auto csv, open_csv(std::move(source), {}));
    return ingest_csv(std::move(csv), fresh());
  };
  EXPECT_EQ(ingest("/a.csv").value().rows, 1);
  EXPECT_THAT(ingest("/short").error().message, HasSubstr("broke off"));
  EXPECT_EQ(files(), 1u);
}

TEST(CheckUrl, TakesWhatIsHttp) {
  for (std::string url : {"http://example.org/a.csv", "https://example.org", "HTTP://EXAMPLE.org:8080/?q=a@b#c",
                          "https://example.org/pkg@1/x.csv", "http://8.8.8.8/", "http://[2606:4700::1]/"})
    EXPECT_TRUE(check_url(url, "/datasetURI", kPublic)) << url;
  EXPECT_TRUE(check_url("http://127.0.0.1:8000/", "/url", kPrivate));
  EXPECT_TRUE(check_url("http://[::1]/", "/url", kPrivate));
}

TEST(CheckUrl, RefusesTheRest) {
  for (std::string url : {"",
                          "a.csv",
                          "file:///etc/passwd",
                          "ftp://example.org/",
                          "gopher://x/",
                          "http://",
                          "http:///x",
                          "//example.org/x",
                          "http://user@example.org/",
                          "http://user:secret@example.org/",
                          "http://example.org\\@evil.org/",
                          "http://exa mple.org/",
                          "http://example.org/\r\nX: y",
                          "javascript:alert(1)",
                          "http://169.254.169.254/",
                          "http://[fe80::1]/",
                          "http://[::ffff:169.254.169.254]/",
                          "http://[::ffff:a9fe:a9fe]/",
                          "http://2852039166/",
                          "http://0xa9fea9fe/",
                          "http://0251.0376.0251.0376/",
                          "http://169.254.43518/",
                          "http://0.0.0.0/",
                          "http://[fd00:ec2::254]/",
                          "http://[64:ff9b::a9fe:a9fe]/"}) {
    auto refused = check_url(url, "/datasetURI", kPrivate);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, Code::unacceptable);
    EXPECT_EQ(refused.error().fields.at(0).pointer, "/datasetURI");
  }
}

TEST(CheckUrl, PrivateNetworksNeedTheFlag) {
  for (std::string url :
       {"http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://017700000001/", "http://[::1]/",
        "http://10.1.2.3/", "http://192.168.0.1/", "http://172.31.0.1/", "http://[fc00::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/", "http://[2002:7f00:1::]/", "http://100.64.0.1/"}) {
    EXPECT_FALSE(check_url(url, "/url", kPublic)) << url;
    EXPECT_TRUE(check_url(url, "/url", kPrivate)) << url;
  }
  EXPECT_TRUE(check_url("http://172.32.0.1/", "/url", kPublic));
}

}  // namespace
}  // namespace lo::dataset
