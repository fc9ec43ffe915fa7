// Builder jobs on a real local Spark server. A JVM starts (5-10 s) and warms up in each, so that they run with ORCHESTRA_LONG=1 only.
#include "run/spark_server.h"

#include <gmock/gmock.h>

#include <csignal>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr engine::RevisionKey kFirst{1, 1};
constexpr engine::RevisionKey kSecond{2, 1};

class SparkServerTest : public RunnerFixture {
 protected:
  void SetUp() override {
    if (std::getenv("ORCHESTRA_LONG") == nullptr) GTEST_SKIP() << "one of ./orchestra test long";  // NOLINT(concurrency-mt-unsafe)
    if (!fs::exists(options().python.spark_python)) GTEST_SKIP() << "no environment " << options().python.spark_python;
  }

  // A table that Spark can learn from.
  json::object table() {
    auto outcome = run(function_job(R"(
import pandas
response = pandas.DataFrame({"x": [float(i % 7) for i in range(200)], "label": [float(i % 7 > 3) for i in range(200)]})
)"));
    EXPECT_EQ(outcome.state, State::finished) << outcome.exception;
    return outcome.manifest;
  }

  // Classifiers side by side; `before` runs in the modeling code.
  engine::JobRequest builder_job(const json::object& manifest, const std::string& before = "") {
    engine::JobRequest job;
    job.token = make_token();
    auto code = before + R"(
from pyspark.ml.feature import VectorAssembler
assembler = VectorAssembler(inputCols=["x"], outputCol="features")
features_training = assembler.transform(training_df)
features_testing = assembler.transform(testing_df)
features_evaluation = None
)";
    json::object request{{"trainDatasetName", "t"}, {"testDatasetName", "t"}, {"modelingCode", code}};
    for (auto [key, classifier] : {std::pair{kFirst, "LR"}, {kSecond, "DT"}}) {
      request["classifiersList"] = {classifier};
      request["classifier"] = classifier;
      job.members.push_back(
          {.key = key, .name = std::string("t") + classifier, .operation = "builder/sparkml", .request = request});
    }
    job.inputs.push_back({.name = "t", .key = {9, 1}, .operation = "function/python", .manifest = manifest});
    return job;
  }

  void wait_for_state(const std::string& state) {
    wait_for_status([&](const json::object& status) {
      return string_or(status.at("spark-server").get_object(), "state") == state;
    });
  }
};

TEST_F(SparkServerTest, RunsClassifiersAndStopsWhenIdle) {
  auto chosen = options();
  chosen.spark.idle = std::chrono::milliseconds{500};
  start_runner(std::move(chosen));
  auto manifest = table();
  EXPECT_EQ(state_of("spark-server"), "cold");
  auto recorder = start(builder_job(manifest));
  recorder->wait_end();
  for (auto key : {kFirst, kSecond}) {
    auto outcome = recorder->outcome(key);
    EXPECT_EQ(outcome.state, State::finished) << outcome.exception << outcome.traceback << outcome.message;
    EXPECT_EQ(string_or(outcome.manifest, "kind"), "model");
  }
  wait_for_state("cold");
  EXPECT_EQ(pid_of("spark-server"), 0);
  expect_no_job_files();
}

TEST_F(SparkServerTest, DeathIsTellingAndAnotherTakesItsPlace) {
  start_runner(options());
  auto manifest = table();
  auto recorder = start(builder_job(manifest, "open('" + (folder_.path() / "note").string() + "', 'w').close()\nimport time; time.sleep(600)"));
  wait_for_file(folder_.path() / "note");
  auto killed = pid_of("spark-server");
  ASSERT_GT(killed, 0);
  ::kill(killed, SIGKILL);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome().exception, "the Spark server ended (signal 9 (Killed))");
  EXPECT_TRUE(recorder->outcome().lost);
  auto next = start(builder_job(manifest));
  next->wait_end();
  EXPECT_EQ(next->outcome().state, State::finished) << next->outcome().exception << next->outcome().message;
  EXPECT_NE(pid_of("spark-server"), killed);
}

TEST_F(SparkServerTest, CancelOfOneClassifierLeavesTheOther) {
  start_runner(options());
  auto manifest = table();
  auto note = folder_.path() / "note";
  auto job = builder_job(manifest, "import os, time\nopen('" + note.string() + "', 'w').close()\nwhile os.path.exists('" +
                                       note.string() + "'): time.sleep(0.01)");
  auto token = job.token;
  auto recorder = start(std::move(job));
  wait_for_file(note);
  runner_->stop(token, kFirst, State::cancelled, Reason::none);
  EXPECT_EQ(recorder->outcome(kFirst).state, State::cancelled);
  fs::remove(note);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome(kSecond).state, State::finished) << recorder->outcome(kSecond).exception;
}

TEST_F(SparkServerTest, CancelReleasesTheSession) {
  start_runner(options());
  auto manifest = table();
  auto note = folder_.path() / "note";
  auto job = builder_job(manifest, "import time\nopen('" + note.string() + "', 'w').close()\ntime.sleep(600)");
  auto token = job.token;
  auto recorder = start(std::move(job));
  wait_for_file(note);
  runner_->stop(token, std::nullopt, State::cancelled, Reason::none);
  recorder->wait_end();
  EXPECT_EQ(recorder->outcome(kFirst).state, State::cancelled);
  EXPECT_EQ(recorder->outcome(kSecond).state, State::cancelled);
  wait_for_status([](const json::object& status) { return status.at("spark").at("jobs").as_int64() == 0; });
  expect_no_job_files();
  EXPECT_EQ(state_of("spark-server"), "warm");
}

}  // namespace
}  // namespace lo::run
