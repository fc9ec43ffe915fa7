#include "run/native/dataset_operations.h"

#include <gmock/gmock.h>

#include "run/testing/runner_fixture.h"

namespace lo::run {
namespace {

using testing::HasSubstr;

class DatasetOperationsTest : public RunnerFixture {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "Arrow is not instrumented";
#endif
    auto chosen = options();
    chosen.native = dataset_operations({.store = &store_});
    start_runner(std::move(chosen));
  }

  engine::Outcome operate(std::string operation, json::object request, json::object input = {}) {
    engine::JobRequest job;
    job.token = make_token();
    job.members.push_back({.key = {1, 1}, .name = "n", .operation = std::move(operation), .request = std::move(request)});
    if (!input.empty()) job.inputs.push_back({.name = "titanic", .key = {2, 1}, .operation = "", .manifest = std::move(input)});
    return run(std::move(job));
  }

  // A text as an upload that the store holds.
  json::object upload(const std::string& text) {
    auto staging = store_.stage(make_token()).value();
    std::ofstream(staging.path() / "content") << text;
    auto manifest = store_.publish(std::move(staging), {.kind = store::Kind::blob, .parts = {{.name = "content"}}}).value();
    return {{"digest", manifest.parts[0].digest}, {"bytes", manifest.parts[0].bytes}};
  }

  engine::Outcome titanic() {
    return operate("dataset/csv", {{"datasetName", "titanic"}, {"upload", upload("Name,Age\nAnn,29\nBob,\n")}});
  }
};

TEST(ProgressOfAnIngest, SaysHowFastAndHowLong) {
  using std::chrono::seconds;
  EXPECT_EQ(progress_json({.bytes = 3000, .total = 10'000, .rows = 7}, seconds(2)),
            (json::object{{"bytes", 3000}, {"rows", 7}, {"total", 10'000}, {"rate", 1500.0}, {"remaining", 4.7}}));
  EXPECT_EQ(progress_json({.bytes = 3000, .total = {}, .rows = 7}, seconds(2)), (json::object{{"bytes", 3000}, {"rows", 7}, {"rate", 1500.0}}));
  EXPECT_EQ(progress_json({.bytes = 0, .total = 10, .rows = 0}, seconds(0)), (json::object{{"bytes", 0}, {"rows", 0}, {"total", 10}}));
  EXPECT_EQ(progress_json({.bytes = 11, .total = 10, .rows = 0}, seconds(1)).at("remaining"), 0.0);  // a server that said too little
}

TEST_F(DatasetOperationsTest, UploadBecomesATable) {
  auto outcome = titanic();
  ASSERT_EQ(outcome.state, State::finished) << outcome.exception;
  auto manifest = store::manifest_from_json(outcome.manifest);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->kind, store::Kind::table);
  EXPECT_EQ(outcome.facts.at("fields"), (json::array{"Name", "Age"}));
  EXPECT_EQ(outcome.facts.at("rows"), 2);
  EXPECT_EQ(outcome.facts.at("digest"), json::value(manifest->digest()));
  EXPECT_NE(manifest->part("rows.parquet"), nullptr);
}

TEST_F(DatasetOperationsTest, SaysWhatItGuessed) {
  auto outcome = operate("dataset/csv", {{"upload", upload("Name;Price\nJos\xe9;3\n")}});
  ASSERT_EQ(outcome.state, State::finished) << outcome.exception;
  EXPECT_EQ(outcome.facts.at("fields"), (json::array{"Name", "Price"}));
  EXPECT_EQ(outcome.facts.at("encoding"), "cp1252");
  EXPECT_EQ(outcome.facts.at("delimiter"), ";");
  for (const auto* name : {"encoding", "delimiter"}) EXPECT_FALSE(titanic().facts.contains(name));
}

TEST_F(DatasetOperationsTest, BadCsvNamesTheRow) {
  auto outcome = operate("dataset/csv", {{"upload", upload("a,b\n1,2\n3\n")}});
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_THAT(outcome.exception, HasSubstr("row 2"));
  EXPECT_FALSE(store_.has_staging());
}

TEST_F(DatasetOperationsTest, RefusedAddress) {
  auto outcome = operate("dataset/csv", {{"datasetURI", "http://169.254.169.254/latest"}});
  EXPECT_EQ(outcome.state, State::failed);
  EXPECT_THAT(outcome.exception, HasSubstr("169.254.169.254"));
}

TEST_F(DatasetOperationsTest, ProjectionKeepsTheNamedFields) {
  auto outcome = operate("transform/projection", {{"inputDatasetName", "titanic"}, {"names", {"Age"}}}, titanic().manifest);
  ASSERT_EQ(outcome.state, State::finished) << outcome.exception;
  EXPECT_EQ(outcome.facts.at("fields"), (json::array{"Age"}));
  EXPECT_EQ(outcome.facts.at("rows"), 2);
}

TEST_F(DatasetOperationsTest, ProjectionOfAnUnknownFieldNamesIt) {
  auto outcome = operate("transform/projection", {{"inputDatasetName", "titanic"}, {"names", {"Agee"}}}, titanic().manifest);
  EXPECT_THAT(outcome.exception, HasSubstr("Agee"));
}

TEST_F(DatasetOperationsTest, DataTypeConverts) {
  auto typed = operate("transform/dataType", {{"inputDatasetName", "titanic"}, {"types", {{"Age", "number"}}}}, titanic().manifest);
  ASSERT_EQ(typed.state, State::finished) << typed.exception;
  EXPECT_EQ(store::manifest_from_json(typed.manifest)->fields.at(1), (store::Field{"Age", "number"}));
}

TEST_F(DatasetOperationsTest, DataTypeThatCannotConvertNamesFieldRowAndValue) {
  auto typed = operate("transform/dataType", {{"inputDatasetName", "titanic"}, {"types", {{"Name", "number"}}}}, titanic().manifest);
  EXPECT_EQ(typed.state, State::failed);
  EXPECT_THAT(typed.exception, HasSubstr("Ann"));
}

TEST_F(DatasetOperationsTest, InputThatIsNoTable) {
  auto outcome = operate("transform/projection", {{"inputDatasetName", "titanic"}, {"names", {"a"}}}, {{"kind", "none"}});
  EXPECT_THAT(outcome.exception, HasSubstr("the result of \"titanic\" is not a table"));
}

}  // namespace
}  // namespace lo::run
