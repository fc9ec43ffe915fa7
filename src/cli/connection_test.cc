#include "cli/connection.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/id.h"
#include "cli/testing/fake_server.h"

namespace lo::cli {
namespace {

using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::HasSubstr;

class Connect : public ::testing::Test {
 protected:
  Connect() { std::filesystem::create_directories(data_); }
  ~Connect() override { std::filesystem::remove_all(data_); }

  std::filesystem::path data_ = std::filesystem::temp_directory_path() / ("connection-" + make_token());
  Interrupt interrupt_ = *Interrupt::listen();
  FakeServer server_{[](const FakeRequest&) { return FakeReply{.body = R"({"result":[]})"}; }};
};

TEST_F(Connect, TakesTheNamedServer) {
  auto connection = connect({.url = server_.url() + "/", .data = "/nowhere"}, interrupt_);
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->http->base_url(), server_.url());
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
