#include "cli/workflow_files.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/id.h"

namespace lo::cli {
namespace {

using testing::HasSubstr;

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
  EXPECT_EQ(workflow->flow.name, "flow");
  const auto& steps = workflow->flow.steps;
  // The digest is python-xxhash's.
  workflow::Upload content{"16d51c327d7d2547a793f8d7bbc4457a", 8};
  EXPECT_EQ(steps[0].upload, content);
  EXPECT_EQ(workflow->files.at(0), (LocalFile{folder_ / "data/d.csv", content, "text/csv"}));
  EXPECT_EQ(steps[0].body, json::parse(R"({"datasetName":"d","types":"infer"})").as_object());
  EXPECT_FALSE(steps[1].upload);
  EXPECT_EQ(steps[2].body.at("function"), "response = 1\n");
  EXPECT_EQ(steps[3].body.at("function"), "https://x/code.py");
  EXPECT_EQ(steps[4].body.at("function"), "import x.py");
}

TEST_F(ReadWorkflow, ReadsJsonFiles) {
  auto path = write("my.flow.json", R"({"steps": [{"service": "dataset/csv", "datasetName": "d", "datasetURL": "x"}]})");
  auto workflow = read_workflow(path);
  ASSERT_FALSE(workflow);
  EXPECT_THAT(workflow.error().message, HasSubstr("/steps/0/datasetURL: dataset/csv has no member 'datasetURL'"));
}

TEST_F(ReadWorkflow, NamesAfterTheFileWhatHasNoName) {
  auto workflow = read_workflow(write("my flow.v2.yaml", "steps: [{service: dataset/csv, datasetName: d, datasetURI: 'http://x'}]"));
  ASSERT_TRUE(workflow) << workflow.error().message;
  EXPECT_EQ(workflow->flow.name, "my-flow-v2");
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
  EXPECT_EQ(workflow->flow.name, "titanic");
}

}  // namespace
}  // namespace lo::cli
