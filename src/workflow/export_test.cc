#include "workflow/export.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "workflow/document.h"
#include "workflow/yaml_writer.h"

namespace lo::workflow {
namespace {

using testing::ElementsAre;
using testing::Each;

json::object object(std::string_view text) { return json::parse(json::string_view(text.data(), text.size())).as_object(); }

Workflow flow(std::string_view yaml) {
  auto workflow = parse_workflow(*read_yaml(yaml), "w");
  EXPECT_TRUE(workflow) << workflow.error().message;
  return *workflow;
}

void store(Stored& stored, const std::string& name, const std::string& operation, std::string_view request) {
  auto& view = stored[name];
  if (view.revisions.empty()) view.service = operation;
  view.name = name;
  view.status = "finished";
  view.revision = static_cast<int>(view.revisions.size()) + 1;
  view.revisions.push_back({.revision = view.revision, .operation = operation, .status = "finished", .reason = {}, .exception = {}, .request = object(request)});
}

constexpr std::string_view kFlow = R"(
name: w
description: of tests
steps:
  - {service: builder/sparkml, name: b, trainDatasetName: p, testDatasetName: p, modelingCode: "m\n", classifiersList: [LR, NB]}
  - {service: transform/dataType, inputDatasetName: d, types: {a: number}}
  - {service: transform/projection, inputDatasetName: d, outputDatasetName: p, names: [a]}
  - {service: dataset/csv, datasetName: d, upload: {digest: 16d51c327d7d2547a793f8d7bbc4457a, bytes: 8}}
  - {service: train/scikitlearn, name: t, parentName: m, modelName: m, method: fit, methodParameters: {X: $p}}
  - {service: model/scikitlearn, modelName: m, modulePath: sklearn.svm, class: SVC}
)";

Stored all_done() {
  Stored stored;
  store(stored, "d", "dataset/csv", R"({"datasetName":"d","upload":{"bytes":8,"digest":"16d51c327d7d2547a793f8d7bbc4457a"},"types":"string"})");
  store(stored, "d", "transform/dataType", R"({"inputDatasetName":"d","types":{"a":"number"}})");
  store(stored, "p", "transform/projection", R"({"names":["a"],"inputDatasetName":"d","outputDatasetName":"p"})");
  for (std::string classifier : {"LR", "NB"})
    store(stored, "b" + classifier, "builder/sparkml",
          fmt::format(R"({{"trainDatasetName":"p","testDatasetName":"p","modelingCode":"m\n","name":"b","classifier":"{}"}})", classifier));
  store(stored, "m", "model/scikitlearn", R"({"modelName":"m","modulePath":"sklearn.svm","class":"SVC"})");
  store(stored, "t", "train/scikitlearn", R"({"name":"t","modelName":"m","parentName":"m","method":"fit","methodParameters":{"X":"$p"},"line":["m"]})");
  return stored;
}

std::string exported(const Workflow& workflow, const Stored& stored) {
  auto document = export_workflow(workflow, stored);
  return document ? write_yaml(*document) : "error: " + document.error().message;
}

std::vector<std::string> acts(std::string_view yaml, const Stored& stored) {
  std::vector<std::string> out;
  auto actions = *make_plan(flow(yaml), stored);
  for (const auto& action : actions) out.emplace_back(to_string(action.act));
  return out;
}

TEST(Export, HasParentsFirstAndAFixedForm) {
  EXPECT_EQ(exported(flow(kFlow), all_done()), R"(name: w
description: of tests
steps:
  - service: dataset/csv
    datasetName: d
    upload:
      digest: "16d51c327d7d2547a793f8d7bbc4457a"
      bytes: 8
  - service: model/scikitlearn
    modelName: m
    modulePath: sklearn.svm
    class: SVC
  - service: transform/dataType
    inputDatasetName: d
    types:
      a: number
  - service: transform/projection
    outputDatasetName: p
    inputDatasetName: d
    names:
      - a
  - service: builder/sparkml
    testDatasetName: p
    trainDatasetName: p
    modelingCode: |
      m
    classifiersList:
      - LR
      - NB
    name: b
  - service: train/scikitlearn
    name: t
    method: fit
    methodParameters:
      X: $p
    parentName: m
    modelName: m
)");
}

TEST(Export, PostedBackReusesEverything) {
  auto yaml = exported(flow(kFlow), all_done());
  EXPECT_THAT(acts(yaml, all_done()), Each("reuse"));
  EXPECT_EQ(exported(flow(yaml), all_done()), yaml) << "exported once more";
}

TEST(Export, IsWhatIsStoredNow) {
  auto stored = all_done();
  store(stored, "p", "transform/projection", R"({"inputDatasetName":"d","outputDatasetName":"p","names":["a","b"],"timeout":5})");
  store(stored, "p", "transform/dataType", R"({"inputDatasetName":"p","types":{"b":"integer"}})");
  store(stored, "d", "transform/dataType", R"({"inputDatasetName":"d","types":{"c":"boolean","a":"string"}})");
  stored["m"].all["labels"] = json::object{{"team", "blue"}};
  auto yaml = exported(flow(kFlow), stored);
  auto now = flow(yaml);
  std::map<std::string, json::object> bodies;
  for (const auto& step : now.steps) bodies[step.service + " " + step.title] = step.body;
  EXPECT_EQ(bodies.at("transform/projection p").at("names"), json::parse(R"(["a","b"])"));
  EXPECT_EQ(bodies.at("transform/projection p").at("timeout"), 5);
  EXPECT_EQ(bodies.at("transform/dataType p").at("types"), json::parse(R"({"b":"integer"})"));
  EXPECT_EQ(bodies.at("transform/dataType d").at("types"), json::parse(R"({"a":"string","c":"boolean"})"));
  EXPECT_EQ(bodies.at("model/scikitlearn m").at("labels"), json::parse(R"({"team":"blue"})"));
  EXPECT_THAT(acts(yaml, stored), Each("reuse"));
}

TEST(Export, AClassifierThatWasChangedByItselfIsAStepOfItsOwn) {
  auto stored = all_done();
  store(stored, "bNB", "builder/sparkml", R"({"trainDatasetName":"p","testDatasetName":"p","modelingCode":"other","name":"b","classifier":"NB"})");
  auto yaml = exported(flow(kFlow), stored);
  std::vector<std::string> made;
  for (const auto& step : flow(yaml).steps)
    if (step.service == "builder/sparkml") made.push_back(fmt::format("{}", fmt::join(step.makes, "+")));
  EXPECT_THAT(made, ElementsAre("bLR", "bNB"));
  EXPECT_THAT(acts(yaml, stored), Each("reuse"));
}

TEST(Export, WhatIsNotStoredAnyMoreIsAsItWasPosted) {
  auto whole = exported(flow(kFlow), all_done());
  EXPECT_EQ(exported(flow(kFlow), {}), whole);
  auto stored = all_done();
  stored.erase("bNB");
  stored.erase("t");
  EXPECT_EQ(exported(flow(kFlow), stored), whole);
}

TEST(Export, NamesTypesOfDatasetsOfOthersThatItGave) {
  Stored stored;
  store(stored, "x", "dataset/csv", R"({"datasetName":"x","datasetURI":"http://x"})");
  store(stored, "x", "transform/dataType", R"({"inputDatasetName":"x","types":{"a":"number","b":"number"}})");
  auto yaml = exported(flow("name: w\nsteps:\n  - {service: transform/dataType, inputDatasetName: x, types: {a: string}}\n"), stored);
  EXPECT_EQ(yaml, "name: w\nsteps:\n  - service: transform/dataType\n    inputDatasetName: x\n    types:\n      a: number\n");
}

}  // namespace
}  // namespace lo::workflow
