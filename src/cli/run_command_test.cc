#include "cli/run_command.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <optional>

#include "base/id.h"
#include "cli/client_commands.h"
#include "cli/testing/fake_orchestra.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

using cli::testing::FakeOrchestra;
using cli::testing::FakeReply;
using cli::testing::FakeRequest;
using cli::testing::FakeServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFlow = R"(
name: flow
steps:
  - {service: function/python, name: f, function: "response = 1", functionParameters: {x: $p}}
  - {service: transform/dataType, inputDatasetName: d, types: {a: number}}
  - {service: transform/projection, inputDatasetName: d, outputDatasetName: p, names: [a]}
  - {service: dataset/csv, datasetName: d, datasetURI: d.csv}
)";

class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "d.csv") << "a,b\n1,2\n";
    write_flow(kFlow);
    server_.emplace(orchestra_.handler());
    orchestra_.server = &*server_;
  }
  ~RunTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void write_flow(std::string_view text) { std::ofstream(folder_ / "flow.yaml") << text; }

  int run() {
    calls_before_ = orchestra_.calls.size();
    std::FILE* out = std::fopen((folder_ / "out").c_str(), "w");
    std::FILE* errors = std::fopen((folder_ / "errors").c_str(), "w");
    int status = 0;
    {
      Screen screen(errors, {});
      status = run_workflow({.workflow = folder_ / "flow.yaml", .server = {.url = server_->url(), .data = {}}}, interrupt_,
                            screen, out);
    }
    std::fclose(out);
    std::fclose(errors);
    return status;
  }

  std::vector<std::string> calls() const {
    return {orchestra_.calls.begin() + static_cast<std::ptrdiff_t>(calls_before_), orchestra_.calls.end()};
  }
  std::string out() const { return *read_text(folder_ / "out"); }
  std::string errors() const { return *read_text(folder_ / "errors"); }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("run-" + make_token());
  FakeOrchestra orchestra_;
  std::optional<FakeServer> server_;
  Interrupt interrupt_ = *Interrupt::listen();
  std::size_t calls_before_ = 0;
};

TEST_F(RunTest, PostsInOrderWatchesAndPrintsATable) {
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(calls(), ElementsAre("POST dataset/csv?datasetName=d", "POST workflow"));
  EXPECT_THAT(out(), HasSubstr("f     function/python       finished  created"));
  EXPECT_THAT(errors(), HasSubstr("created d (its file)"));
  EXPECT_THAT(errors(), HasSubstr("typed d (new)"));
  EXPECT_THAT(errors(), HasSubstr("created p (new)"));
  EXPECT_THAT(errors(), HasSubstr("f: running"));
  EXPECT_THAT(errors(), HasSubstr("f: finished"));
}

TEST_F(RunTest, TheSecondTimeNothingIsMade) {
  ASSERT_EQ(run(), kOk) << errors();
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(calls(), ElementsAre("POST workflow"));
  EXPECT_THAT(out(), HasSubstr("reused"));
  EXPECT_THAT(out(), Not(HasSubstr("created")));
}

TEST_F(RunTest, AChangedStepIsPatchedAndItsChildrenRunAgain) {
  ASSERT_EQ(run(), kOk) << errors();
  auto changed = std::string(kFlow);
  changed.replace(changed.find("[a]"), 3, "[b]");
  write_flow(changed);
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(errors(), HasSubstr("changed p (changed: names)"));
  EXPECT_THAT(errors(), HasSubstr("run again f ('p' changes)"));
}

TEST_F(RunTest, AFailedStepIsToldWithItsLog) {
  orchestra_.ends_as["f"] = "failed";
  EXPECT_EQ(run(), kStepFailed);
  EXPECT_THAT(errors(), HasSubstr("f failed: ValueError: no"));
  EXPECT_THAT(errors(), HasSubstr("  last line"));
  EXPECT_THAT(out(), HasSubstr("failed"));
  orchestra_.ends_as.clear();
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(errors(), HasSubstr("run again f (it failed)"));
}

TEST_F(RunTest, ARefusalIsToldWithItsPlaceInTheFile) {
  orchestra_.before = [](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.method != "POST" || !request.target.ends_with("workflow")) return std::nullopt;
    return FakeReply{.status = 406,
                     .body = R"({"detail":"no field z","errors":[{"pointer":"/steps/2/names/0","detail":"no field z"}]})"};
  };
  EXPECT_EQ(run(), kCannot);
  EXPECT_THAT(errors(), HasSubstr("orchestra: line 6: no field z"));
}

TEST_F(RunTest, AChangedFileIsSentAgain) {
  ASSERT_EQ(run(), kOk) << errors();
  std::ofstream(folder_ / "d.csv") << "a,b\n1,3\n";
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(calls(), ElementsAre(HasSubstr("PATCH dataset/csv/d"), "POST workflow"));
  EXPECT_THAT(out(), HasSubstr("changed"));
}

TEST_F(RunTest, WhatAFileNeedsIsCreatedBeforeIt) {
  write_flow(R"(
steps:
  - {service: dataset/csv, datasetName: d, datasetURI: d.csv, environment: e}
  - {service: environment, name: e, requirements: [xgboost]}
  - {service: function/python, name: f, function: "response = 1", functionParameters: {x: $d}}
)");
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(calls(), ElementsAre("POST environment", HasSubstr("POST dataset/csv?environment=e&datasetName=d"), "POST workflow"));
}

TEST_F(RunTest, WhatTheWorkflowHasNoMoreIsTold) {
  orchestra_.removed = {{{"name", "old"}, {"reason", "no longer in the workflow"}}};
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(errors(), HasSubstr("kept old (no longer in the workflow)"));
}

TEST_F(RunTest, ABadFileIsToldBeforeAnyServerIsAsked) {
  write_flow("steps: [{service: nonsense}]");
  server_.reset();
  server_.emplace([](const FakeRequest&) -> FakeReply {
    ADD_FAILURE() << "asked";
    return {};
  });
  EXPECT_EQ(run(), kCannot);
  EXPECT_THAT(errors(), HasSubstr("there is no service 'nonsense'"));
}

TEST_F(RunTest, ANamedServerThatIsNotThereIsAnError) {
  auto url = server_->url();
  server_.reset();
  server_.emplace([](const FakeRequest&) { return FakeReply{.body = "<html>"}; });
  EXPECT_EQ(run(), kCannot);
  EXPECT_THAT(errors(), HasSubstr("gave no JSON"));
}

// The answer to a POST is lost, though the step was made: it must not be posted twice, nor be taken for somebody else's.
TEST_F(RunTest, AnAnswerThatIsLostIsNotAskedForTwice) {
  std::atomic<bool> lose = true;
  orchestra_.before = [&](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.method != "POST" || !request.target.ends_with("datasetName=d") || !lose.exchange(false)) return std::nullopt;
    orchestra_.answer(request);  // comes by here once more, and goes through
    return FakeReply{.cut = true};
  };
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_THAT(calls(), ::testing::Contains("POST dataset/csv?datasetName=d").Times(1));
  EXPECT_THAT(errors(), HasSubstr("asking again"));
  EXPECT_THAT(errors(), HasSubstr("the server answers again"));
}

// The server is away for a while. (libcurl itself asks a few times where it used a connection of before.)
TEST_F(RunTest, AServerThatComesBackIsWaitedFor) {
  constexpr int kCuts = 12;
  orchestra_.asked_until_end["f"] = 6;
  std::atomic<int> cut = 0;
  orchestra_.before = [&](const FakeRequest& request) -> std::optional<FakeReply> {
    if (orchestra_.calls.size() < 2 || cut == kCuts || !request.target.ends_with("step/f")) return std::nullopt;
    ++cut;
    server_->cut_streams_here();
    return FakeReply{.cut = true};
  };
  EXPECT_EQ(run(), kOk) << errors();
  EXPECT_EQ(cut, kCuts);
  EXPECT_THAT(errors(), HasSubstr("asking again for up to 30 s"));
  EXPECT_THAT(errors(), HasSubstr("the server answers again"));
}

TEST_F(RunTest, AnInterruptLeavesTheStepsOfANamedServer) {
  orchestra_.asked_until_end["f"] = 1'000'000;
  orchestra_.before = [&](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.target.ends_with("observe/stream")) ::kill(::getpid(), SIGTERM);
    return std::nullopt;
  };
  // Threads that are begun after Interrupt::listen() have the signal blocked too; the server's thread was begun before.
  server_.reset();
  server_.emplace(orchestra_.handler());
  orchestra_.server = &*server_;
  EXPECT_EQ(run(), kInterrupted);
  EXPECT_THAT(errors(), HasSubstr("the steps go on at " + server_->url()));
  siginfo_t taken;
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  timespec none{};
  EXPECT_EQ(::sigtimedwait(&term, &taken, &none), SIGTERM);  // not left for the next test
}

}  // namespace
}  // namespace lo::cli
