#include "workflow/request_difference.h"

#include <gmock/gmock.h>

namespace lo::workflow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FileStep step_of(std::string service, std::string_view body) {
  FileStep step;
  step.service = std::move(service);
  step.body = json::parse(json::string_view(body.data(), body.size())).as_object();
  return step;
}

json::object object(std::string_view text) { return json::parse(json::string_view(text.data(), text.size())).as_object(); }

TEST(Difference, NoneBetweenWhatMeansTheSame) {
  auto step = step_of("function/python",
                      R"({"name":"f","function":"x","functionParameters":{"a":1,"b":[1.5,null]},"labels":{"l":"m"}})");
  auto stored = object(R"({"functionParameters":{"b":[1.5,null],"a":1},"function":"x","name":"f","description":""})");
  EXPECT_THAT(difference(step, stored).members, IsEmpty());
}

TEST(Difference, DefaultsAndEmptyValuesMayBeLeftOut) {
  EXPECT_THAT(difference(step_of("dataset/csv", R"({"datasetName":"d","datasetURI":"u"})"),
                         object(R"({"datasetName":"d","datasetURI":"u","types":"string"})"))
                  .members,
              IsEmpty());
  EXPECT_THAT(difference(step_of("function/python", R"({"name":"f","function":"x","description":""})"),
                         object(R"({"name":"f","function":"x","functionParameters":{}})"))
                  .members,
              IsEmpty());
}

TEST(Difference, TellsWhatChangedAndHowToSayIt) {
  auto result =
      difference(step_of("function/python", R"({"name":"f","function":"y","timeout":5,"functionParameters":{"a":1}})"),
                 object(R"({"name":"f","function":"x","functionParameters":{"a":2},"description":"old","retry":{"n":1}})"));
  EXPECT_THAT(result.members, ElementsAre("description", "function", "functionParameters", "retry", "timeout"));
  EXPECT_EQ(result.patch, object(R"({"description":"","function":"y","functionParameters":{"a":1},"retry":null,"timeout":5})"));
  EXPECT_FALSE(result.has_content());
}

TEST(Difference, OfOrderInListsCounts) {
  auto step = step_of("transform/projection", R"({"inputDatasetName":"d","outputDatasetName":"p","names":["a","b"]})");
  EXPECT_THAT(difference(step, object(R"({"inputDatasetName":"d","outputDatasetName":"p","names":["b","a"]})")).members,
              ElementsAre("names"));
}

TEST(Difference, UploadsAreComparedByDigest) {
  auto step = step_of("dataset/csv", R"({"datasetName":"d"})");
  step.upload = Upload{.digest = "aa", .bytes = 3};
  EXPECT_THAT(difference(step, object(R"({"datasetName":"d","upload":{"digest":"aa","bytes":3}})")).members, IsEmpty());
  auto other = difference(step, object(R"({"datasetName":"d","upload":{"digest":"bb","bytes":3}})"));
  EXPECT_THAT(other.members, ElementsAre("content"));
  EXPECT_TRUE(other.has_content());
  EXPECT_THAT(difference(step, object(R"({"datasetName":"d","datasetURI":"http://x"})")).members, ElementsAre("content"));
}

TEST(Difference, FromUploadToUrl) {
  auto result = difference(step_of("dataset/csv", R"({"datasetName":"d","datasetURI":"http://x"})"),
                           object(R"({"datasetName":"d","upload":{"digest":"aa","bytes":3}})"));
  EXPECT_THAT(result.members, ElementsAre("datasetURI"));
  EXPECT_EQ(result.patch, object(R"({"datasetURI":"http://x"})"));
}

TEST(Difference, OfABuilderIsNotInItsClassifiers) {
  auto step =
      step_of("builder/sparkml",
              R"({"trainDatasetName":"a","testDatasetName":"b","modelingCode":"c","classifiersList":["LR","DT"],"name":"n"})");
  EXPECT_THAT(
      difference(step,
                 object(R"({"trainDatasetName":"a","testDatasetName":"b","modelingCode":"c","classifier":"DT","name":"n"})"))
          .members,
      IsEmpty());
  EXPECT_THAT(
      difference(step,
                 object(R"({"trainDatasetName":"a","testDatasetName":"e","modelingCode":"c","classifier":"DT","name":"n"})"))
          .members,
      ElementsAre("testDatasetName"));
}

}  // namespace
}  // namespace lo::workflow
