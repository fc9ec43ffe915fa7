// What each service makes of a body.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "api/openapi.h"
#include "api/routes.h"
#include "api/service.h"
#include "workflow/services.h"

namespace lo::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ServicesTest : public testing::Test {
 protected:
  ServicesTest() { context.urls.allow_private = true; }

  Result<Draft> read(std::string_view service, std::string_view body) const {
    return find_service(service)->read(*parse_json_object(body), context);
  }

  Context context;
};

TEST_F(ServicesTest, BuilderMakesAStepPerClassifierNamedAfterTheTestData) {
  auto draft = read("builder/sparkml", R"({"trainDatasetName": "train", "testDatasetName": "test@2", "modelingCode": "x",
                                           "classifiersList": ["LR", "NB"]})");
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->steps[0].name, "testLR");
  EXPECT_EQ(draft->steps[1].name, "testNB");
  EXPECT_EQ(draft->steps[1].request.at("classifier"), "NB");
  EXPECT_FALSE(draft->steps[0].request.contains("classifiersList"));
  EXPECT_EQ(draft->mentions[1].text, "test@2");
}

TEST_F(ServicesTest, BuilderStepIsMadeAgainFromItsOwnRequest) {
  auto draft = read("builder/sparkml", R"({"trainDatasetName": "a", "testDatasetName": "b", "modelingCode": "x", "name": "n",
                                           "classifiersList": ["GB"]})");
  const auto& service = *find_service("builder/sparkml");
  auto again = service.read(service.body_of("nGB", draft->steps[0].request), context);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->steps[0].name, "nGB");
  EXPECT_EQ(again->steps[0].request, draft->steps[0].request);
}

TEST_F(ServicesTest, BuilderRefusesANameThatGrowsTooLong) {
  auto draft = read("builder/sparkml", R"({"trainDatasetName": "a", "testDatasetName": ")" + std::string(127, 'b') +
                                           R"(", "modelingCode": "x", "classifiersList": ["GB"]})");
  EXPECT_THAT(draft.error().message, HasSubstr("129 characters"));
}

TEST_F(ServicesTest, CsvTakesUrlAsAnotherNameOfDatasetUri) {
  auto one = read("dataset/csv", R"({"datasetName": "a", "url": "http://localhost/x.csv"})");
  auto other = read("dataset/csv", R"({"datasetName": "a", "datasetURI": "http://localhost/x.csv"})");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->steps[0].request, other->steps[0].request);
}

TEST_F(ServicesTest, NullMeansNotGiven) {
  auto with = read("function/python", R"({"name": "f", "function": "response = 1", "description": null, "timeout": 3})");
  ASSERT_TRUE(with);
  EXPECT_FALSE(with->steps[0].request.contains("description"));
  EXPECT_EQ(with->steps[0].request.at("timeout"), 3);
}

TEST_F(ServicesTest, StepsThatRunPythonMayAskForTypesThatKnowNulls) {
  const std::string function = R"({"name": "f", "function": "response = 1", "nullable": )";
  const std::string call = R"({"name": "f", "modulePath": "sklearn.metrics", "class": "accuracy_score", "nullable": )";
  for (auto [service, body] : {std::pair{"function/python", function}, {"evaluate/scikitlearn", call}, {"explore/tensorflow", call}}) {
    EXPECT_EQ(read(service, body + "true}")->steps[0].request.at("nullable"), true) << service;
    EXPECT_FALSE(read(service, body + "false}")->steps[0].request.contains("nullable")) << service;
    auto refused = read(service, body + R"("yes"})");
    ASSERT_FALSE(refused) << service;
    EXPECT_EQ(refused.error().fields.front().pointer, "/nullable");
    EXPECT_THAT(refused.error().fields.front().detail, HasSubstr("\"yes\""));
  }
  EXPECT_FALSE(read("dataset/csv", R"({"datasetName": "a", "url": "http://localhost/x.csv", "nullable": true})"));
}

TEST_F(ServicesTest, JsonTakesTypesOfFieldsAlone) {
  auto draft = read("dataset/json", R"({"datasetName": "a", "url": "http://localhost/x", "types": {"b": "integer"}, "encoding": "utf-16"})");
  ASSERT_TRUE(draft);
  EXPECT_EQ(draft->steps[0].request.at("types").at("b"), "integer");
  EXPECT_EQ(draft->steps[0].request.at("encoding"), "utf-16");
  for (auto [member, pointer] : {std::pair{R"("types": "infer")", "/types"}, {R"("types": {"b/c": "int"})", "/types/b~1c"},
                                 {R"("encoding": 8)", "/encoding"}, {R"("delimiter": ";")", "/delimiter"}}) {
    auto refused = read("dataset/json", std::string(R"({"datasetName": "a", "url": "http://localhost/x", )") + member + "}");
    ASSERT_FALSE(refused) << member;
    EXPECT_EQ(refused.error().fields.front().pointer, pointer);
  }
}

TEST_F(ServicesTest, DataTypeNamesAFieldThatHasNoSuchType) {
  auto body = read_data_type(*parse_json_object(R"({"inputDatasetName": "a", "types": {"x": "float"}})"));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().fields.front().pointer, "/types/x");
}

// What a service takes by itself it takes as a step of a workflow.
TEST_F(ServicesTest, EveryMemberOfABodyMayStandInAWorkflow) {
  std::set<std::string> known, described;
  for (const auto& service : workflow::services())
    for (auto member : workflow::members_of(service)) known.insert(service.name + " " + std::string(member));
  for (const auto& service : services())
    for (const auto& member : service.schema.at("properties").as_object()) described.insert(service.path + " " + std::string(member.key()));
  auto data_type = data_type_schema();
  for (const auto& member : data_type.at("properties").as_object())
    described.insert(std::string(workflow::kDataType) + " " + std::string(member.key()));
  std::vector<std::string> missing;
  std::ranges::set_difference(described, known, std::back_inserter(missing));
  EXPECT_THAT(missing, testing::IsEmpty());
  for (const auto& service : services()) EXPECT_NE(workflow::find_service(service.path), nullptr) << service.path;
}

TEST_F(ServicesTest, TheDocumentDescribesEveryRouteAndNoOther) {
  http::Router router;
  add_routes(router, context);
  auto document = openapi_document(router);
  std::size_t operations = 0;
  for (const auto& path : document.at("paths").as_object()) operations += path.value().as_object().size();
  EXPECT_EQ(operations, router.routes().size());
}

}  // namespace
}  // namespace lo::api
