#include "cli/own_server.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>

#include "base/id.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The programs are shell scripts called as the server would be: serve --port 0 --data DIR --port-file FILE.
class OwnServerTest : public testing::Test {
 protected:
  OwnServerTest() {
    std::filesystem::create_directories(folder_);
    interrupt_.emplace(*Interrupt::listen());
  }
  ~OwnServerTest() override { std::filesystem::remove_all(folder_); }

  OwnServerOptions program(const std::string& script) {
    auto path = folder_ / "program";
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return {.program = path, .data = folder_ / "data" / "deep", .start_limit = 60s, .stop_limit = 60s};
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("own-server-" + make_token());
  std::optional<Interrupt> interrupt_;
};

constexpr const char* kAccepts = R"(echo "$@" >&2; echo 4711 > "$7.new"; mv "$7.new" "$7"; )";

TEST_F(OwnServerTest, StartsAndStopsInOrder) {
  auto options = program(std::string("trap 'echo stopped >&2; exit 0' TERM\n") + kAccepts +
                         "while :; do read -r line < \"$5/fifo\"; done");
  std::filesystem::create_directories(options.data);
  ASSERT_EQ(::mkfifo((options.data / "fifo").c_str(), 0600), 0);
  auto server = start_own_server(options, *interrupt_);
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->url, "http://127.0.0.1:4711");
  ASSERT_TRUE(server->own);
  EXPECT_EQ(server->own->obituary(), "");
  server->own->stop();
  auto log = *read_text(options.data / "server.log");
  EXPECT_THAT(log, HasSubstr("serve --port 0 --data " + options.data.string() + " --port-file "));
  EXPECT_THAT(log, HasSubstr("stopped"));
  for (const auto& entry : std::filesystem::directory_iterator(options.data))
    EXPECT_THAT(entry.path().filename().string(), testing::AnyOf("server.log", "fifo")) << "nothing else is left";
}

TEST_F(OwnServerTest, KillsWhatDoesNotStop) {
  auto options = program(std::string("trap '' TERM\n") + kAccepts + "while :; do read -r line < \"$5/fifo\"; done");
  options.stop_limit = 1ms;
  std::filesystem::create_directories(options.data);
  ASSERT_EQ(::mkfifo((options.data / "fifo").c_str(), 0600), 0);
  auto server = start_own_server(options, *interrupt_);
  ASSERT_TRUE(server) << server.error().message;
  server->own->stop();  // returns
}

TEST_F(OwnServerTest, ShowsTheLastWordsOfOneThatDoesNotStart) {
  auto options = program("echo earlier >&2; exit 0");
  ASSERT_FALSE(start_own_server(options, *interrupt_));
  auto server = start_own_server(program("echo 'no room' >&2; exit 1"), *interrupt_);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("did not start"));
  EXPECT_THAT(server.error().message, HasSubstr("  no room"));
  EXPECT_THAT(server.error().message, testing::Not(HasSubstr("earlier"))) << "only what this one said";
}

TEST_F(OwnServerTest, GivesUpOnOneThatNeverAccepts) {
  auto options = program("echo starting >&2; mkfifo \"$5/never\"; read -r line < \"$5/never\"");
  options.start_limit = 300ms;
  options.stop_limit = 1ms;
  auto server = start_own_server(options, *interrupt_);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("did not start"));
}

TEST_F(OwnServerTest, UsesTheOneThatHoldsTheFolder) {
  auto server = start_own_server(program("echo http://127.0.0.1:99 > \"$5/server.url\"; exit 3"), *interrupt_);
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->url, "http://127.0.0.1:99");
  EXPECT_FALSE(server->own);
}

TEST_F(OwnServerTest, WaitsForAHolderThatIsStartingStill) {
  auto server = start_own_server(
      program(
          "(echo http://127.0.0.1:98 > \"$5/new\"; while kill -0 $$ 2> /dev/null; do :; done; mv \"$5/new\" \"$5/server.url\") &\nexit 3"),
      *interrupt_);
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(server->url, "http://127.0.0.1:98");
}

TEST_F(OwnServerTest, AnInterruptEndsTheStart) {
  auto options = program("kill -TERM $PPID; mkfifo \"$5/never\"; read -r line < \"$5/never\"");
  auto server = start_own_server(options, *interrupt_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::cancelled);
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  timespec none{};
  EXPECT_EQ(::sigtimedwait(&term, nullptr, &none), SIGTERM);  // not left for the next test
}

TEST_F(OwnServerTest, TellsWhenItDies) {
  auto options = program(std::string(kAccepts) + "read -r line < \"$5/fifo\"; echo 'out of luck' >&2");
  std::filesystem::create_directories(options.data);
  ASSERT_EQ(::mkfifo((options.data / "fifo").c_str(), 0600), 0);
  auto server = start_own_server(options, *interrupt_);
  ASSERT_TRUE(server) << server.error().message;
  std::ofstream(options.data / "fifo") << "go\n";
  while (server->own->obituary().empty()) continue;
  EXPECT_THAT(server->own->obituary(), HasSubstr("out of luck"));
}

TEST_F(OwnServerTest, NamesAProgramThatIsNotThere) {
  auto server = start_own_server({.program = folder_ / "none", .data = folder_}, *interrupt_);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("none"));
}

}  // namespace
}  // namespace lo::cli
