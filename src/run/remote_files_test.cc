// A file that another process reads: the real runner, with a script in the place of the one that knows S3.
#include "run/remote_files.h"

#include <gmock/gmock.h>

#include <array>

#include "run/environment.h"
#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Does what the last part of its URL says.
constexpr const char* kScript = R"(
import os, socket, struct, sys
server = socket.socket(fileno=3)
def send(content): server.sendall(struct.pack('>I', len(content)) + content)
def whole(*blocks, end=b'{}'):
    for block in (b'{"total": 6}', *blocks, b'', end): send(block)
case = sys.argv[1].rpartition('/')[2]
if case == 'whole': whole(b'abc', b'def')
if case == 'empty': whole()
if case == 'refused': send(b'{"error": "there is no such file"}')
if case == 'late': whole(b'abc', end=b'{"error": "it was changed"}')
if case == 'dies': send(b'{"total": 6}'); send(b'abc')
if case == 'cut': send(b'{"total": 6}'); server.sendall(b'\0\0\0\6abc')
if case == 'environment': whole('\n'.join(f'{k}={v}' for k, v in os.environ.items()).encode())
if case == 'large': whole(*[bytes([i]) * 1000000 for i in range(9)])
if case == 'waits': send(b'{"total": 6}'); send(b'abc'); print('ended', server.recv(1), flush=True)
)";

class RemoteFilesTest : public RunnerFixture {
 protected:
  void SetUp() override {
    auto chosen = options();
    if (!std::filesystem::exists(chosen.python.python)) GTEST_SKIP() << "no environment " << chosen.python.python;
    chosen.python.runtime = folder_.path() / "runtime";
    std::filesystem::create_directories(chosen.python.runtime);
    std::ofstream(chosen.python.runtime / "orchestra_remote_file.py") << kScript;
    chosen.remote = {.policy = {.s3 = true}, .environment = {"AWS_SECRET_ACCESS_KEY=sesame", "HOME=/somewhere"}};
    chosen.native["test/read"] = [](const engine::JobRequest& job, const store::Staging&, NativeContext& native) {
      return read_all(string_or(job.members.front().request, "url"), native);
    };
    start_runner(std::move(chosen));
  }

  static Result<engine::Outcome> read_all(const std::string& url, NativeContext& native) {
    LO_ASSIGN(auto source, native.open_remote(url));
    std::string text;
    std::array<char, 4> some{};
    for (;;) {
      LO_ASSIGN(auto got, source->read(some));
      if (got == 0) break;
      text.append(some.data(), got);
      native.progress({{"bytes", source->bytes_taken()}});
    }
    LO_ASSIGN(auto still, source->read(some));
    engine::Outcome outcome;
    outcome.facts = {{"text", text}, {"taken", source->bytes_taken()}, {"total", source->bytes_total().value_or(-1)}, {"still", still}};
    outcome.manifest = {{"kind", "none"}, {"parts", json::array()}};
    return outcome;
  }

  static engine::JobRequest job(const std::string& url) {
    engine::JobRequest job;
    job.token = make_token();
    job.members.push_back({.key = {1, 1}, .name = "n", .operation = "test/read", .request = {{"url", url}}});
    return job;
  }

  engine::Outcome read_url(const std::string& url) { return run(job(url)); }
};

TEST_F(RemoteFilesTest, GivesTheBytesAndHowManyThereAre) {
  auto outcome = read_url("s3://bucket/whole");
  EXPECT_EQ(outcome.exception, "");
  EXPECT_EQ(outcome.facts.at("text"), "abcdef");
  EXPECT_EQ(outcome.facts.at("taken"), 6);
  EXPECT_EQ(outcome.facts.at("total"), 6);
  EXPECT_EQ(outcome.facts.at("still"), 0);
  EXPECT_EQ(read_url("s3://bucket/empty").facts.at("text"), "");
  EXPECT_EQ(read_url("s3://bucket/large").facts.at("taken"), 9'000'000);
}

TEST_F(RemoteFilesTest, AnErrorOfTheProcessIsTheErrorBeforeAndAfterTheBytes) {
  EXPECT_EQ(read_url("s3://bucket/refused").exception, "there is no such file");
  EXPECT_EQ(read_url("s3://bucket/late").exception, "it was changed");
}

TEST_F(RemoteFilesTest, AProcessThatDiesHasNotSentAll) {
  for (auto url : {"s3://bucket/dies", "s3://bucket/cut", "s3://bucket/nothing"})
    EXPECT_THAT(read_url(url).exception, AllOf(HasSubstr(url), HasSubstr("remote-files.log")));
}

TEST_F(RemoteFilesTest, StoppingItEndsTheProcess) {
  auto request = job("s3://bucket/waits");
  auto token = request.token;
  auto recorder = start(std::move(request));
  recorder->wait_progress(1);
  runner_->stop(token, engine::RevisionKey{1, 1}, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
  shutdown();  // reaps: no child is left that would hold the socket
  EXPECT_TRUE(children_of(::getpid()).empty());
}

TEST_F(RemoteFilesTest, ItsEnvironmentHasTheCredentialsAndNoForkServersHas) {
  auto text = read_url("s3://bucket/environment").facts.at("text");
  EXPECT_THAT(std::string(text.as_string()), AllOf(HasSubstr("AWS_SECRET_ACCESS_KEY=sesame"), HasSubstr("HOME=/somewhere"), HasSubstr("AWS_EC2_METADATA_DISABLED=true")));
  RunContext context(options(), Cgroups());
  context.options.remote.environment = {"AWS_SECRET_ACCESS_KEY=sesame"};
  for (auto kind : {WorkerKind::bare, WorkerKind::scientific, WorkerKind::sql})
    EXPECT_THAT(fork_server_command(context, kind, "/python", "x").environment, Not(Contains(HasSubstr("sesame"))));
  EXPECT_THAT(remote_file_command(context, "s3://bucket/x").argv, Not(Contains(HasSubstr("sesame"))));
}

TEST_F(RemoteFilesTest, WhatTheServerWasNotToldOfIsRefusedAgain) {
  EXPECT_THAT(read_url("hdfs://names/whole").exception, HasSubstr("--hdfs names:8020"));
}

Variables of(std::map<std::string, std::string> all) {
  return [all = std::move(all)](const std::string& name) -> std::optional<std::string> {
    auto found = all.find(name);
    return found == all.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(S3Credentials, AreThereInAnyOfTheUsualWays) {
  EXPECT_TRUE(has_s3_credentials(of({{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", "b"}})));
  EXPECT_TRUE(has_s3_credentials(of({{"AWS_PROFILE", "lab"}})));
  EXPECT_TRUE(has_s3_credentials(of({{"AWS_WEB_IDENTITY_TOKEN_FILE", "/x"}})));
  EXPECT_FALSE(has_s3_credentials(of({})));
  EXPECT_FALSE(has_s3_credentials(of({{"AWS_ACCESS_KEY_ID", "a"}})));
  EXPECT_FALSE(has_s3_credentials(of({{"AWS_ACCESS_KEY_ID", "a"}, {"AWS_SECRET_ACCESS_KEY", ""}})));
  TemporaryFolder home;
  EXPECT_FALSE(has_s3_credentials(of({{"HOME", home.path().string()}})));
  std::filesystem::create_directory(home.path() / ".aws");
  std::ofstream(home.path() / ".aws" / "credentials") << "[default]";
  EXPECT_TRUE(has_s3_credentials(of({{"HOME", home.path().string()}})));
  EXPECT_FALSE(has_s3_credentials(of({{"HOME", home.path().string()}, {"AWS_SHARED_CREDENTIALS_FILE", "/absent"}})));
}

TEST(RemoteEnvironment, IsWhatConcernsIt) {
  EXPECT_THAT(remote_environment({"AWS_PROFILE=lab", "PATH=/bin", "HADOOP_HOME=/h", "ORCHESTRA_CONNECTION_SHOP=postgresql://a:b@c/d", "HOME=/me", "HOMEX=1"}),
              ElementsAre("AWS_PROFILE=lab", "HADOOP_HOME=/h", "HOME=/me"));
}

}  // namespace
}  // namespace lo::run
