#include "run/native_runner.h"

#include <gmock/gmock.h>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// Waits on the pool's thread until it is told to stop.
Result<engine::Outcome> until_stopped(const engine::JobRequest&, const store::Staging&, NativeContext& native) {
  std::promise<void> stopped;
  std::stop_callback callback(native.stop, [&] { stopped.set_value(); });
  native.progress({{"rows", 1}});
  stopped.get_future().wait();
  return fail(Code::cancelled, "stopped");
}

Result<engine::Outcome> write_rows(const engine::JobRequest&, const store::Staging& staging, NativeContext&) {
  std::ofstream(staging.path() / "content") << "rows";
  engine::Outcome outcome;
  outcome.manifest = {{"kind", "blob"}, {"parts", {json::object{{"name", "content"}}}}};
  outcome.facts["rows"] = 4;
  return outcome;
}

class NativeRunnerTest : public RunnerFixture {
 protected:
  void SetUp() override {
    auto chosen = options();
    chosen.native["test/write"] = write_rows;
    chosen.native["test/wait"] = until_stopped;
    chosen.native["test/fail"] = [](auto&, auto&, auto&) { return fail(Code::unacceptable, "no such field: 'x'"); };
    chosen.native["test/no-part"] = [](auto&, auto&, auto&) -> Result<engine::Outcome> {
      engine::Outcome outcome;
      outcome.manifest = {{"kind", "blob"}, {"parts", {json::object{{"name", "absent"}}}}};
      return outcome;
    };
    start_runner(std::move(chosen));
  }

  static engine::JobRequest job(std::string operation) {
    engine::JobRequest job;
    job.token = make_token();
    job.members.push_back({.key = {1, 1}, .name = "n", .operation = std::move(operation), .request = {}});
    return job;
  }
};

TEST_F(NativeRunnerTest, PublishesWhatTheOperationMade) {
  auto outcome = run(job("test/write"));
  EXPECT_EQ(outcome.state, State::finished) << outcome.exception;
  EXPECT_EQ(outcome.facts.at("rows").as_int64(), 4);
  auto manifest = store::manifest_from_json(outcome.manifest);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(read(store_.path_of(manifest->parts.at(0)).value()), "rows");
  EXPECT_FALSE(store_.has_staging());
}

TEST_F(NativeRunnerTest, AnErrorFailsTheMemberWithItsText) {
  auto outcome = run(job("test/fail"));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_EQ(outcome.reason, Reason::error);
  EXPECT_EQ(outcome.exception, "no such field: 'x'");
  EXPECT_FALSE(store_.has_staging());
}

TEST_F(NativeRunnerTest, AResultThatCannotBePublishedFails) {
  auto outcome = run(job("test/no-part"));
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_THAT(outcome.exception, HasSubstr("absent"));
}

TEST_F(NativeRunnerTest, StopIsCancelled) {
  auto request = job("test/wait");
  auto token = request.token;
  auto recorder = start(std::move(request));
  recorder->wait_progress(1);
  runner_->stop(token, engine::RevisionKey{1, 1}, State::cancelled, Reason::none);
  runner_->stop(token, std::nullopt, State::failed, Reason::timeout);  // the first word holds
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().state, State::cancelled);
}

TEST_F(NativeRunnerTest, TimeLimit) {
  auto request = job("test/wait");
  request.limits.timeout = milliseconds{50};
  auto outcome = run(std::move(request));
  EXPECT_EQ(outcome.reason, Reason::timeout);
  EXPECT_EQ(outcome.exception, "ran longer than its limit of 0.05 s");
}

TEST_F(NativeRunnerTest, ShutdownEndsItAsLost) {
  auto recorder = start(job("test/wait"));
  recorder->wait_progress(1);
  shutdown();
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().reason, Reason::lost);
  EXPECT_TRUE(recorder->outcome().lost);
}

}  // namespace
}  // namespace lo::run
