#include "workflow/workflow.h"

#include <gmock/gmock.h>

namespace lo::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<Workflow> parse(std::string_view yaml) {
  LO_ASSIGN(auto document, read_yaml(yaml));
  return parse_workflow(document, "unnamed");
}

std::string problems(std::string_view yaml) {
  auto workflow = parse(yaml);
  return workflow ? "" : workflow.error().message;
}

TEST(ParseWorkflow, NamesWhatEachStepMakesAndUses) {
  auto workflow = parse(R"(
name: w
steps:
  - {service: dataset/csv, datasetName: d, datasetURI: "http://x/d.csv"}
  - {service: transform/dataType, inputDatasetName: d, types: {a: number}}
  - {service: transform/projection, inputDatasetName: d@2, outputDatasetName: p, names: [a]}
  - {service: function/python, name: f, function: "response = 1", functionParameters: {x: $p, y: [{z: $d.a.b}, $$q@3, "$ no", \$d]}}
  - {service: builder/sparkml, trainDatasetName: d, testDatasetName: p, modelingCode: c, classifiersList: [LR, NB]}
  - {service: builder/sparkml, name: b, trainDatasetName: d, testDatasetName: p, modelingCode: c, classifiersList: [LR]}
)");
  ASSERT_TRUE(workflow) << workflow.error().message;
  EXPECT_EQ(workflow->name, "w");
  const auto& steps = workflow->steps;
  ASSERT_EQ(steps.size(), 6u);
  EXPECT_THAT(steps[0].makes, ElementsAre("d"));
  EXPECT_THAT(steps[0].uses, IsEmpty());
  EXPECT_THAT(steps[1].makes, IsEmpty());
  EXPECT_THAT(steps[1].uses, ElementsAre("d"));
  EXPECT_THAT(steps[2].uses, ElementsAre("d"));
  EXPECT_THAT(steps[3].uses, ElementsAre("p", "d", "q"));
  EXPECT_THAT(steps[4].makes, ElementsAre("pLR", "pNB"));
  EXPECT_THAT(steps[4].uses, ElementsAre("d", "p"));
  EXPECT_THAT(steps[5].makes, ElementsAre("bLR"));
  EXPECT_EQ(steps[3].where, "line 7");
  EXPECT_FALSE(steps[0].body.contains("service"));
}

TEST(ParseWorkflow, TakesUrlForDatasetUri) {
  auto workflow = parse("steps: [{service: dataset/csv, datasetName: d, url: 'http://x/d.csv'}]");
  ASSERT_TRUE(workflow) << workflow.error().message;
  EXPECT_EQ(workflow->name, "unnamed");
  EXPECT_EQ(workflow->steps[0].body, json::parse(R"({"datasetName":"d","datasetURI":"http://x/d.csv"})").as_object());
}

TEST(ParseWorkflow, TellsAllProblemsWithTheirLines) {
  auto text = problems(R"(nme: w
steps:
  - service: dataset/cvs
    datasetName: d
  - service: transform/projection
    inputDatasetNam: d
    outputDatasetName: bad name
    names: [a]
  - just text
  - {name: x}
  - service: function/python
    name: f
    function: [1]
)");
  EXPECT_THAT(text, HasSubstr("line 1: a workflow has no member 'nme'; did you mean 'name'?"));
  EXPECT_THAT(text, HasSubstr("line 3: there is no service 'dataset/cvs'; did you mean 'dataset/csv'?"));
  EXPECT_THAT(text,
              HasSubstr("line 6: transform/projection has no member 'inputDatasetNam'; did you mean 'inputDatasetName'?"));
  EXPECT_THAT(text, HasSubstr("line 5: transform/projection needs the member 'inputDatasetName'"));
  EXPECT_THAT(text, HasSubstr("bad name"));
  EXPECT_THAT(text, HasSubstr("line 9: a step must be"));
  EXPECT_THAT(text, HasSubstr("line 10: a step needs the member 'service'"));
  EXPECT_THAT(text, HasSubstr("line 13: 'function' must be text, not [1]"));
}

TEST(ParseWorkflow, RefusesNamesTakenTwice) {
  EXPECT_EQ(problems(R"(steps:
  - {service: dataset/csv, datasetName: tLR, datasetURI: "http://x/d"}
  - {service: dataset/csv, datasetName: t, datasetURI: "http://x/d"}
  - {service: builder/sparkml, trainDatasetName: t, testDatasetName: t, modelingCode: c, classifiersList: [LR]}
  - {service: dataset/csv, datasetName: t, datasetURI: "http://x/d"}
)"),
            "line 4: the name 'tLR' is taken by the step of line 2\nline 5: the name 't' is taken by the step of line 3");
}

TEST(ParseWorkflow, RefusesFieldsTypedTwice) {
  EXPECT_EQ(problems(R"(steps:
  - {service: transform/dataType, inputDatasetName: d, types: {a: number, b: number}}
  - {service: transform/dataType, inputDatasetName: d, types: {b: string}}
  - {service: transform/dataType, inputDatasetName: e, types: {b: string}}
)"),
            "line 3: the field 'b' of 'd' is typed by the step of line 2 already");
}

TEST(ParseWorkflow, RefusesWhatIsNoWorkflow) {
  EXPECT_THAT(problems("[1]"), HasSubstr("holds 'name' and 'steps'"));
  EXPECT_THAT(problems("name: w"), HasSubstr("needs 'steps'"));
  EXPECT_THAT(problems("steps: []"), HasSubstr("needs 'steps'"));
  EXPECT_THAT(problems("steps: {a: 1}"), HasSubstr("needs 'steps'"));
  EXPECT_THAT(
      problems(
          "steps: [{service: builder/sparkml, trainDatasetName: t, testDatasetName: u, modelingCode: c, classifiersList: LR}]"),
      HasSubstr("'classifiersList' must be a list"));
  EXPECT_THAT(problems("steps: [{service: transform/dataType, inputDatasetName: d, types: number}]"),
              HasSubstr("'types' must"));
}

TEST(ParseWorkflow, WantsANameThatIsOne) {
  EXPECT_THAT(problems("name: a b\nsteps: [{service: dataset/csv, datasetName: d, datasetURI: u}]"), HasSubstr("line 1: "));
  auto nameless = parse_workflow(*read_yaml("steps: [{service: dataset/csv, datasetName: d, datasetURI: u}]"), "");
  ASSERT_FALSE(nameless);
  EXPECT_EQ(nameless.error().message, "line 1: a workflow needs a 'name'");
}

TEST(ParseWorkflow, TellsProblemsByPointerAndLine) {
  auto of_yaml = parse("steps:\n  - {service: dataset/csv, datasetName: d}\n");
  ASSERT_FALSE(of_yaml);
  ASSERT_EQ(of_yaml.error().fields.size(), 1u);
  EXPECT_EQ(of_yaml.error().fields[0].pointer, "/steps/0");
  EXPECT_EQ(of_yaml.error().fields[0].detail, "line 2: dataset/csv needs the member 'datasetURI'");
  auto of_json = parse_workflow(*read_json(R"({"name":"n","steps":[{"service":"dataset/csv","datasetName":"d"}]})"), "");
  ASSERT_FALSE(of_json);
  EXPECT_EQ(of_json.error().message, "/steps/0: dataset/csv needs the member 'datasetURI'");
  EXPECT_EQ(of_json.error().fields[0].detail, "dataset/csv needs the member 'datasetURI'");
}

TEST(ParseWorkflow, TakesAnUploadInPlaceOfAUrl) {
  auto workflow = parse(R"(
steps:
  - {service: dataset/csv, datasetName: d, upload: {digest: "16d51c327d7d2547a793f8d7bbc4457a", bytes: 8}}
)");
  ASSERT_TRUE(workflow) << workflow.error().message;
  EXPECT_EQ(workflow->steps[0].upload, (Upload{"16d51c327d7d2547a793f8d7bbc4457a", 8}));
  EXPECT_FALSE(workflow->steps[0].body.contains("upload"));
  EXPECT_THAT(problems("steps: [{service: dataset/csv, datasetName: d, upload: x}]"), HasSubstr("'upload' must be {digest, bytes}"));
  EXPECT_THAT(problems("steps: [{service: dataset/csv, datasetName: d, datasetURI: u, upload: {digest: 16d51c327d7d2547a793f8d7bbc4457a}}]"),
              HasSubstr("'datasetURI' and 'upload' exclude each other"));
  EXPECT_THAT(problems("steps: [{service: function/python, name: f, function: c, upload: x}]"), HasSubstr("no member 'upload'"));
}

TEST(DocumentOf, IsTakenApartIntoTheSameAndHasItsMembersInAFixedOrder) {
  auto workflow = parse(R"(
description: of tests
name: w
steps:
  - {timeout: 5, function: "response = 1", name: f, service: function/python}
  - {upload: {digest: "16d51c327d7d2547a793f8d7bbc4457a", bytes: 8}, types: infer, datasetName: d, service: dataset/csv}
)");
  ASSERT_TRUE(workflow) << workflow.error().message;
  auto document = document_of(*workflow);
  EXPECT_EQ(write_json(document),
            R"({"name":"w","description":"of tests","steps":[{"service":"function/python","name":"f","function":"response = 1","timeout":5},)"
            R"({"service":"dataset/csv","datasetName":"d","types":"infer","upload":{"digest":"16d51c327d7d2547a793f8d7bbc4457a","bytes":8}}]})");
  auto again = parse_workflow({.value = document, .lines = {}}, "");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(document_of(*again), document);
}

}  // namespace
}  // namespace lo::workflow
