#include "api/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::api {
namespace {

using testing::HasSubstr;

catalog::Revision revision(int number, State state, std::string operation = "dataset/csv") {
  catalog::Revision out;
  out.key = {.step = 1, .revision = number};
  out.name = "titanic";
  out.operation = std::move(operation);
  out.state = state;
  out.accepted = out.key.revision == 1 ? from_micros(1'000'000) : from_micros(2'000'000);
  out.request = {{"datasetName", "titanic"}, {"datasetURI", "http://x/y.csv"}};
  if (state == State::finished) {
    store::Manifest table;
    table.kind = store::Kind::table;
    table.fields = {{.name = "a", .type = number == 1 ? "string" : "number"}};
    table.rows = 3;
    out.result = store::to_json(table);
  }
  return out;
}

StepRecord record(std::vector<catalog::Revision> revisions) {
  StepRecord out;
  out.step = {.id = 1, .name = "titanic", .service = "dataset/csv", .created = from_micros(0), .labels = {}};
  out.revisions = std::move(revisions);
  return out;
}

TEST(Metadata, HasTheWordsOf2021) {
  auto metadata = metadata_of(record({revision(1, State::finished)}));
  EXPECT_EQ(metadata.at("_id"), 0);
  EXPECT_EQ(metadata.at("datasetName"), "titanic");
  EXPECT_EQ(metadata.at("type"), "dataset/csv");
  EXPECT_EQ(metadata.at("timeCreated"), "1970-01-01T00:00:00-00:00");
  EXPECT_EQ(metadata.at("finished"), true);
  EXPECT_EQ(metadata.at("url"), "http://x/y.csv");
  EXPECT_EQ(metadata.at("fields"), (json::array{"a"}));
  EXPECT_EQ(metadata.at("rows"), 3);
  EXPECT_TRUE(metadata.at("exception").is_null());
}

TEST(Metadata, ShowsTheLastGoodResultWhileANewOneIsMade) {
  auto metadata = metadata_of(record({revision(1, State::finished), revision(2, State::running)}));
  EXPECT_EQ(metadata.at("finished"), false);
  EXPECT_EQ(metadata.at("status"), "running");
  EXPECT_EQ(metadata.at("rows"), 3);
}

TEST(Metadata, ADataTypeThatFailedLeavesTheDatasetAsItWas) {
  auto failed = revision(2, State::failed, "transform/dataType");
  failed.exception = "row 3: \"x\" is no number";
  auto metadata = metadata_of(record({revision(1, State::finished), failed}));
  EXPECT_EQ(metadata.at("status"), "finished");
  EXPECT_EQ(metadata.at("revision"), 1);
  EXPECT_THAT(std::string(metadata.at("lastError").as_string()), HasSubstr("row 3"));
}

TEST(Metadata, AFailedReplacementIsTheStateOfTheName) {
  auto failed = revision(2, State::failed);
  failed.reason = Reason::error;
  auto metadata = metadata_of(record({revision(1, State::finished), failed}));
  EXPECT_EQ(metadata.at("status"), "failed");
  EXPECT_EQ(metadata.at("reason"), "error");
  EXPECT_EQ(metadata.at("rows"), 3) << "the last good result stays";
}

TEST(Metadata, SaysWhyAStepWaits) {
  auto waiting = record({revision(1, State::waiting)});
  waiting.standing = engine::Standing{.waits_for = {"a", "b"}, .queue_place = {}, .short_of = {}, .retry_in = {}, .stale = {}, .newest_parents = {}};
  EXPECT_EQ(step_view_of(waiting).at("wait"), "for a, b");
}

TEST(Metadata, HasADocumentPerAttempt) {
  auto tried = record({revision(1, State::finished)});
  for (int number : {1, 2}) {
    catalog::Attempt attempt;
    attempt.key = {.step = 1, .revision = 1};
    attempt.number = number;
    attempt.message = "hello\n";
    attempt.state = number == 1 ? State::failed : State::finished;
    tried.attempts.push_back(attempt);
  }
  auto documents = executions_of(tried);
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].at("_id").to_number<int>(), 1);
  EXPECT_EQ(documents[0].at("status"), "failed");
  EXPECT_EQ(documents[1].at("functionMessage"), "hello\n");
}

}  // namespace
}  // namespace lo::api
