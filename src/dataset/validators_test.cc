#include "dataset/validators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/test_server.h"

namespace lo::dataset {
namespace {

std::string answer(const std::string& headers, const std::string& status = "200 OK") { return "HTTP/1.1 " + status + "\r\n" + headers + "\r\n"; }

std::optional<std::string> ask(const std::string& url, UrlPolicy policy = {.allow_private = true}) {
  return validators_of(url, {.policy = policy, .timeout = std::chrono::seconds{20}});
}

TEST(Validators, AreEqualAsLongAsTheServerSaysSo) {
  TestServer server({{"/a", answer("ETag: \"x\"\r\nContent-Length: 5\r\n")},
                     {"/b", answer("ETag: \"y\"\r\nContent-Length: 5\r\n")},
                     {"/c", answer("Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT\r\n")},
                     {"/to-a", "HTTP/1.1 302 Found\r\nETag: \"z\"\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"}});
  auto a = ask(server.url("/a"));
  ASSERT_TRUE(a);
  EXPECT_EQ(ask(server.url("/a")), a);
  EXPECT_EQ(ask(server.url("/to-a")), a);
  EXPECT_NE(ask(server.url("/b")), a);
  EXPECT_TRUE(ask(server.url("/c")));
}

TEST(Validators, AreNoneWhereNothingIsSaid) {
  TestServer server({{"/bare", answer("Content-Length: 5\r\n")}, {"/gone", answer("ETag: \"x\"\r\n", "404 Not Found")}, {"/good", answer("ETag: \"x\"\r\n")}});
  EXPECT_EQ(ask(server.url("/bare")), std::nullopt);
  EXPECT_EQ(ask(server.url("/gone")), std::nullopt);
  EXPECT_EQ(ask("ftp://example.org/x"), std::nullopt);
  EXPECT_EQ(ask(server.url("/good"), {.allow_private = false}), std::nullopt);
}

}  // namespace
}  // namespace lo::dataset
