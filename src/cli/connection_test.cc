#include "cli/connection.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "base/id.h"
#include "cli/contexts.h"
#include "cli/testing/fake_server.h"

namespace lo::cli {
namespace {

using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::HasSubstr;

class Connect : public ::testing::Test {
 protected:
  Connect() {
    std::filesystem::create_directories(data_);
    ::setenv("XDG_CONFIG_HOME", data_.c_str(), 1);  // NOLINT: one thread
  }
  ~Connect() override { std::filesystem::remove_all(data_); }

  // Keeps the fake server as "lab", whose token is "lab's".
  void keep_lab(const std::string& current) {
    ASSERT_TRUE(write_contexts(contexts_path(), {.by_name = {{"lab", {.url = server_.url(), .token = "labs"}}}, .current = current}));
  }

  std::string token_seen() {
    std::lock_guard lock(mutex_);
    return token_seen_;
  }

  std::filesystem::path data_ = std::filesystem::temp_directory_path() / ("connection-" + make_token());
  Interrupt interrupt_ = *Interrupt::listen();
  std::mutex mutex_;
  std::string token_seen_;
  FakeServer server_{[this](const FakeRequest& request) {
    std::lock_guard lock(mutex_);
    auto token = request.headers.find("Authorization");
    token_seen_ = token == request.headers.end() ? "" : token->second;
    return FakeReply{.body = R"({"result":[]})"};
  }};
};

TEST_F(Connect, TakesTheNamedServer) {
  auto connection = connect({.url = server_.url() + "/", .data = "/nowhere"}, interrupt_);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->http->base_url(), server_.url());
}

TEST_F(Connect, TakesTheContextInUseWithItsToken) {
  keep_lab("lab");
  auto connection = connect({}, interrupt_);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->http->base_url(), server_.url());
  EXPECT_EQ(token_seen(), "Bearer labs");
}

TEST_F(Connect, TakesTheContextThatIsNamed) {
  keep_lab("");
  ASSERT_TRUE(connect({.url = "lab", .data = {}}, interrupt_));
  EXPECT_EQ(token_seen(), "Bearer labs");
  auto unknown = connect({.url = "lob", .data = {}}, interrupt_);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("\"lob\""));
}

TEST_F(Connect, ANamedFolderGoesBeforeTheContextInUse) {
  ASSERT_TRUE(write_contexts(contexts_path(), {.by_name = {{"lab", {.url = "http://127.0.0.1:9", .token = "labs"}}}, .current = "lab"}));
  std::ofstream(data_ / "server.url") << server_.url() << "\n";
  ASSERT_TRUE(connect({.url = "", .data = data_}, interrupt_));
  EXPECT_EQ(token_seen(), "");
}

TEST_F(Connect, TakesTheOneThatHoldsTheFolder) {
  std::ofstream(data_ / "server.url") << server_.url() << "\n";
  auto connection = connect({.url = "", .data = data_}, interrupt_);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->http->base_url(), server_.url());
}

TEST_F(Connect, TellsWhatWasTried) {
  auto none = connect({.url = "", .data = data_}, interrupt_);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("none holds the folder '" + data_.string() + "'"));
  auto nobody = connect_or_start({.url = "http://127.0.0.1:1", .data = data_}, interrupt_);
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("no answer from http://127.0.0.1:1"));
}

}  // namespace
}  // namespace lo::cli
