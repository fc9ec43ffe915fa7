#include "cli/workflow.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/id.h"

namespace lo::cli {
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
  EXPECT_THAT(problems("[1]"), HasSubstr("'name' and 'steps'"));
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

class ReadWorkflow : public testing::Test {
 protected:
  ReadWorkflow() { std::filesystem::create_directories(folder_ / "data"); }
  ~ReadWorkflow() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("workflow-" + make_token());
};

TEST_F(ReadWorkflow, AttachesWhatItNames) {
  write("data/d.csv", "a,b\n1,2\n");
  write("code.py", "response = 1\n");
  auto path = write("flow.yaml", R"(steps:
  - {service: dataset/csv, datasetName: d, datasetURI: data/d.csv, types: infer}
  - {service: dataset/csv, datasetName: e, datasetURI: "https://x/d.csv"}
  - {service: function/python, name: f, function: code.py}
  - {service: function/python, name: g, function: "https://x/code.py"}
  - {service: function/python, name: h, function: "import x.py"}
)");
  auto workflow = read_workflow(path);
  ASSERT_TRUE(workflow) << workflow.error().message;
  EXPECT_EQ(workflow->name, "flow");
  const auto& steps = workflow->steps;
  // The digest is python-xxhash's.
  EXPECT_EQ(steps[0].upload, (Upload{folder_ / "data/d.csv", "16d51c327d7d2547a793f8d7bbc4457a", 8}));
  EXPECT_EQ(steps[0].body, json::parse(R"({"datasetName":"d","types":"infer"})").as_object());
  EXPECT_FALSE(steps[1].upload);
  EXPECT_EQ(steps[2].body.at("function"), "response = 1\n");
  EXPECT_EQ(steps[3].body.at("function"), "https://x/code.py");
  EXPECT_EQ(steps[4].body.at("function"), "import x.py");
}

TEST_F(ReadWorkflow, ReadsJsonFiles) {
  auto path = write("flow.json", R"({"steps": [{"service": "dataset/csv", "datasetName": "d", "datasetURL": "x"}]})");
  auto workflow = read_workflow(path);
  ASSERT_FALSE(workflow);
  EXPECT_THAT(workflow.error().message, HasSubstr("/steps/0/datasetURL: dataset/csv has no member 'datasetURL'"));
}

TEST_F(ReadWorkflow, NamesFilesThatAreNotThere) {
  auto none = read_workflow(folder_ / "none.yaml");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::not_found);
  auto path = write("flow.yaml", "steps:\n  - {service: dataset/csv, datasetName: d, datasetURI: d.csv}\n");
  auto data = read_workflow(path);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message, "line 2: datasetURI: there is no file '" + (folder_ / "d.csv").string() + "'");
  path = write("flow.yaml", "steps:\n  - {service: function/python, name: f, function: f.py}\n");
  auto code = read_workflow(path);
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().message, "line 2: function: there is no file '" + (folder_ / "f.py").string() + "'");
}

TEST_F(ReadWorkflow, TakesTheExample) {
  auto workflow = read_workflow("examples/titanic/workflow.yaml");
  ASSERT_TRUE(workflow) << workflow.error().message;
  EXPECT_EQ(workflow->name, "titanic");
}

}  // namespace
}  // namespace lo::cli
