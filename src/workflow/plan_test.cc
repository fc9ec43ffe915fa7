#include "workflow/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

namespace lo::workflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json::object object(std::string_view text) { return json::parse(json::string_view(text.data(), text.size())).as_object(); }

Workflow flow(std::string_view steps) {
  auto document = read_yaml(fmt::format("steps:\n{}", steps));
  EXPECT_TRUE(document) << document.error().message;
  auto workflow = parse_workflow(*document, "w");
  EXPECT_TRUE(workflow) << workflow.error().message;
  return *workflow;
}

// The workflow that most tests are about: a dataset, typed; a projection of it, typed; a function and a builder of that.
constexpr std::string_view kFlow = R"(
  - {service: function/python, name: f, function: code, functionParameters: {x: $p}}
  - {service: transform/dataType, inputDatasetName: p, types: {a: integer}}
  - {service: builder/sparkml, name: b, trainDatasetName: p, testDatasetName: d, modelingCode: m, classifiersList: [LR, NB]}
  - {service: transform/projection, inputDatasetName: d, outputDatasetName: p, names: [a]}
  - {service: transform/dataType, inputDatasetName: d, types: {a: number, b: string}}
  - {service: dataset/csv, datasetName: d, datasetURI: "http://x/d"}
)";

StepView view(std::string name, std::string service, std::string_view request) {
  StepView step;
  step.name = std::move(name);
  step.service = service;
  step.operation = service;
  step.revision = 1;
  step.status = "finished";
  step.finished = true;
  step.revisions.push_back(
      {.revision = 1, .operation = service, .status = "finished", .reason = "", .exception = "", .request = object(request)});
  return step;
}

void add_revision(StepView& step, const std::string& operation, const std::string& status, std::string_view request) {
  step.revision = static_cast<int>(step.revisions.size()) + 1;
  step.operation = operation;
  step.status = status;
  step.revisions.push_back({.revision = step.revision,
                            .operation = operation,
                            .status = status,
                            .reason = "",
                            .exception = "",
                            .request = object(request)});
}

void set_status(StepView& step, const std::string& status, const std::string& reason = "") {
  step.status = status;
  step.reason = reason;
  step.finished = status == "failed" || status == "finished" || status == "cancelled";
  step.revisions.back().status = status;
  step.revisions.back().reason = reason;
}

// What a server has after kFlow ran through.
Stored all_done() {
  Stored stored;
  stored["d"] = view("d", "dataset/csv", R"({"datasetName":"d","datasetURI":"http://x/d"})");
  add_revision(stored["d"], "transform/dataType", "finished",
               R"({"inputDatasetName":"d","types":{"a":"number","b":"string"}})");
  stored["p"] = view("p", "transform/projection", R"({"inputDatasetName":"d","outputDatasetName":"p","names":["a"]})");
  add_revision(stored["p"], "transform/dataType", "finished", R"({"inputDatasetName":"p","types":{"a":"integer"}})");
  stored["f"] = view("f", "function/python", R"({"name":"f","function":"code","functionParameters":{"x":"$p"}})");
  for (std::string classifier : {"LR", "NB"})
    stored["b" + classifier] =
        view("b" + classifier, "builder/sparkml",
             fmt::format(R"({{"name":"b","trainDatasetName":"p","testDatasetName":"d","modelingCode":"m","classifier":"{}"}})",
                         classifier));
  return stored;
}

std::vector<std::string> plan(const Workflow& workflow, const Stored& stored) {
  auto actions = make_plan(workflow, stored);
  if (!actions) return {"error: " + actions.error().message};
  std::vector<std::string> lines;
  for (const auto& action : *actions) {
    auto what = action.names.empty() ? "types of " + workflow.steps[action.step].title
                                     : fmt::format("{}", fmt::join(action.names, "+"));
    lines.push_back(fmt::format("{} {}: {}", to_string(action.act), what, action.reason));
  }
  return lines;
}

// Only what is not reused.
std::vector<std::string> changes(const Workflow& workflow, const Stored& stored) {
  auto lines = plan(workflow, stored);
  std::erase_if(lines, [](const auto& line) { return line.starts_with("reuse"); });
  return lines;
}

TEST(MakePlan, CreatesAllInOrderOnAnEmptyServer) {
  EXPECT_THAT(plan(flow(kFlow), {}), ElementsAre("create d: new", "create types of d: 'd' changes", "create p: new",
                                                 "create types of p: 'p' changes", "create f: new", "create bLR+bNB: new"));
}

TEST(MakePlan, ReusesAllTheSecondTime) {
  EXPECT_THAT(plan(flow(kFlow), all_done()),
              ElementsAre("reuse d: equal", "reuse types of d: equal", "reuse p: equal", "reuse types of p: equal",
                          "reuse f: equal", "reuse bLR: equal", "reuse bNB: equal"));
}

TEST(MakePlan, AChangedStepIsPatchedAndWhatIsMadeOfItRunsAgain) {
  auto stored = all_done();
  stored["p"].revisions[0].request["names"] = json::array{"z"};
  EXPECT_THAT(changes(flow(kFlow), stored),
              ElementsAre("patch p: changed: names", "create types of p: 'p' changes", "rerun f: 'p' changes",
                          "rerun bLR: 'p' changes", "rerun bNB: 'p' changes"));
  auto actions = *make_plan(flow(kFlow), stored);
  EXPECT_EQ(actions[2].body, object(R"({"names":["a"]})"));
  EXPECT_EQ(actions[3].body, object(R"({"inputDatasetName":"p","types":{"a":"integer"}})"));
}

TEST(MakePlan, AChangeAtTheEndRunsOnlyTheEnd) {
  auto stored = all_done();
  stored["bNB"].revisions[0].request["modelingCode"] = "old";
  EXPECT_THAT(changes(flow(kFlow), stored), ElementsAre("patch bNB: changed: modelingCode"));
}

TEST(MakePlan, AChangedTypeTypesTheDatasetAgain) {
  auto stored = all_done();
  stored["d"].revisions[1].request["types"].as_object()["b"] = "number";
  EXPECT_THAT(changes(flow(kFlow), stored),
              ElementsAre("create types of d: new", "patch p: 'd' changes", "create types of p: 'p' changes",
                          "rerun f: 'p' changes", "rerun bLR: 'p' changes", "rerun bNB: 'p' changes"));
}

TEST(MakePlan, TheLastOfSeveralTypesCounts) {
  auto workflow = flow("  - {service: transform/dataType, inputDatasetName: d, types: {a: number, b: string}}\n");
  auto stored = all_done();
  add_revision(stored["d"], "transform/dataType", "finished", R"({"inputDatasetName":"d","types":{"c":"number"}})");
  EXPECT_THAT(changes(workflow, stored), IsEmpty());
  add_revision(stored["d"], "transform/dataType", "failed", R"({"inputDatasetName":"d","types":{"a":"boolean"}})");
  EXPECT_THAT(changes(workflow, stored), IsEmpty()) << "a dataType that failed left the dataset as it was";
  add_revision(stored["d"], "transform/dataType", "running", R"({"inputDatasetName":"d","types":{"a":"string"}})");
  EXPECT_THAT(changes(workflow, stored), ElementsAre("create types of d: new"));
}

TEST(MakePlan, TypesFromBeforeTheDatasetWasMadeAnewDoNotCount) {
  auto stored = all_done();
  add_revision(stored["d"], "dataset/csv", "finished", R"({"datasetName":"d","datasetURI":"http://x/d"})");
  EXPECT_THAT(changes(flow("  - {service: transform/dataType, inputDatasetName: d, types: {a: number}}\n"), stored),
              ElementsAre("create types of d: new"));
}

TEST(MakePlan, WhatFailedRunsAgain) {
  auto stored = all_done();
  set_status(stored["f"], "failed", "error");
  set_status(stored["bLR"], "cancelled");
  EXPECT_THAT(changes(flow(kFlow), stored), ElementsAre("rerun f: it failed (error)", "rerun bLR: it cancelled"));
}

TEST(MakePlan, ADatasetThatFailedBeforeItWasTypedIsSentWhole) {
  auto stored = all_done();
  stored.erase("p");
  stored.erase("f");
  stored.erase("bLR");
  stored.erase("bNB");
  stored["d"].revisions[0].status = "failed";
  set_status(stored["d"], "failed", "upstream_failed");
  auto workflow = flow(kFlow);
  EXPECT_THAT(changes(workflow, stored), testing::Contains("patch d: it failed"));
  EXPECT_THAT(changes(workflow, stored), testing::Contains("create types of d: 'd' changes"));
  auto actions = *make_plan(workflow, stored);
  EXPECT_EQ(actions[0].body, object(R"({"datasetURI":"http://x/d"})"));
}

TEST(MakePlan, WhatIsStaleRunsAgain) {
  auto stored = all_done();
  stored["f"].stale = true;
  stored["f"].stale_reason = "p has revision 3";
  stored["bLR"].stale = true;
  EXPECT_THAT(changes(flow(kFlow), stored), ElementsAre("rerun f: stale: p has revision 3", "rerun bLR: stale"));
}

TEST(MakePlan, WhatStillRunsIsLeftAlone) {
  auto stored = all_done();
  set_status(stored["d"], "running");
  set_status(stored["f"], "waiting");
  set_status(stored["bLR"], "queued");
  EXPECT_THAT(changes(flow(kFlow), stored), IsEmpty());
  EXPECT_THAT(plan(flow(kFlow), stored), testing::Contains("reuse bLR: equal, queued"));
}

TEST(MakePlan, WhatWaitsTakesTheNewParentByItself) {
  auto stored = all_done();
  stored["p"].revisions[0].request["names"] = json::array{"z"};
  set_status(stored["f"], "waiting");
  set_status(stored["bLR"], "running");
  auto lines = changes(flow(kFlow), stored);
  EXPECT_THAT(lines, testing::Not(testing::Contains(HasSubstr(" f:"))));
  EXPECT_THAT(lines, testing::Contains("rerun bLR: 'p' changes"));
}

TEST(MakePlan, OnlyMissingClassifiersAreCreated) {
  auto stored = all_done();
  stored.erase("bNB");
  auto workflow = flow(kFlow);
  EXPECT_THAT(changes(workflow, stored), ElementsAre("create bNB: new"));
  auto actions = *make_plan(workflow, stored);
  auto created = std::ranges::find(actions, Act::create, &Action::act);
  EXPECT_EQ(created->body.at("classifiersList"), json::parse(R"(["NB"])"));
  EXPECT_EQ(created->body.at("name"), "b");
}

TEST(MakePlan, AnUploadIsSentWithItsOptions) {
  auto workflow = flow("  - {service: dataset/csv, datasetName: d, datasetURI: d.csv, delimiter: ';'}\n");
  auto& step = workflow.steps[0];
  step.body.erase("datasetURI");
  step.upload = Upload{.digest = "new", .bytes = 1};
  auto created = (*make_plan(workflow, {}))[0];
  EXPECT_TRUE(created.sends_file);
  EXPECT_EQ(created.body, object(R"({"datasetName":"d","delimiter":";"})"));

  Stored stored{{"d", view("d", "dataset/csv",
                           R"({"datasetName":"d","delimiter":",","types":"infer","upload":{"digest":"old","bytes":1}})")}};
  auto patched = (*make_plan(workflow, stored))[0];
  EXPECT_EQ(patched.reason, "changed: content, delimiter, types");
  EXPECT_TRUE(patched.sends_file);
  EXPECT_EQ(patched.body, object(R"({"delimiter":";","types":"string"})"));

  stored["d"].revisions[0].request = object(R"({"datasetName":"d","upload":{"digest":"new","bytes":1}})");
  auto only_option = (*make_plan(workflow, stored))[0];
  EXPECT_FALSE(only_option.sends_file);
  EXPECT_EQ(only_option.body, object(R"({"delimiter":";"})"));
}

TEST(MakePlan, RefersToWhatOnlyTheServerHas) {
  auto workflow = flow("  - {service: function/python, name: g, function: c, functionParameters: {x: $f}}\n");
  EXPECT_THAT(plan(workflow, all_done()), ElementsAre("create g: new"));
  EXPECT_THAT(plan(workflow, {}), ElementsAre("error: line 2: neither the file nor the server has 'f'"));
}

TEST(MakePlan, RefusesNamesThatAnotherServiceHolds) {
  auto workflow = flow(
      "  - {service: function/python, name: d, function: c}\n  - {service: function/python, name: q, function: c, functionParameters: [$dd]}\n");
  EXPECT_EQ(make_plan(workflow, all_done()).error().code, Code::unacceptable);
  EXPECT_EQ(make_plan(flow("  - {service: function/python, name: d, function: c}\n"), all_done()).error().code, Code::conflict);
  EXPECT_THAT(plan(workflow, all_done()), ElementsAre("error: line 2: the name 'd' is taken by a dataset/csv on the server\n"
                                                      "line 3: neither the file nor the server has 'dd'; did you mean 'd'?"));
}

TEST(MakePlan, TellsWhatIsStillUnderWay) {
  auto workflow = flow("  - {service: transform/dataType, inputDatasetName: d, types: {a: number}}\n");
  auto under_way = [&](const Stored& stored) { return make_plan(workflow, stored)->front().under_way; };
  auto stored = all_done();
  EXPECT_FALSE(under_way(stored));
  add_revision(stored["d"], "transform/dataType", "failed", R"({"inputDatasetName":"d","types":{"a":"boolean"}})");
  EXPECT_FALSE(under_way(stored)) << "it failed before, and the dataset is as the file says";
  add_revision(stored["d"], "transform/dataType", "running", R"({"inputDatasetName":"d","types":{"a":"number"}})");
  EXPECT_TRUE(under_way(stored));
  set_status(stored["f"], "running");
  EXPECT_TRUE(make_plan(flow("  - {service: function/python, name: f, function: code, functionParameters: {x: $p}}\n"), stored)->front().under_way);
}

TEST(MakePlan, KnowsWhoseStoredParentsChange) {
  auto stored = all_done();
  stored["p"].revisions[0].request["names"] = json::array{"z"};
  std::map<std::string, bool> changes;
  auto workflow = flow(kFlow);
  auto actions = *make_plan(workflow, stored);
  for (const auto& action : actions) changes[workflow.steps[action.step].title] |= action.parent_changes;
  EXPECT_THAT(changes, ElementsAre(testing::Pair("b", true), testing::Pair("d", false), testing::Pair("f", true), testing::Pair("p", true)));
  auto on_an_empty_server = *make_plan(workflow, {});
  for (const auto& action : on_an_empty_server) EXPECT_FALSE(action.parent_changes) << "there is nothing that could change";
}

TEST(NamesOf, AreAllThatIsMadeOrUsed) {
  EXPECT_THAT(
      names_of(flow(
          "  - {service: builder/sparkml, trainDatasetName: x, testDatasetName: y, modelingCode: m, classifiersList: [LR]}\n")),
      ElementsAre("x", "y", "yLR"));
}

TEST(OrderSteps, TellsWhoWaitsForWhom) {
  auto order = order_steps(flow(R"(
  - {service: function/python, name: z, function: c}
  - {service: function/python, name: a, function: c, functionParameters: {x: $b}}
  - {service: transform/projection, inputDatasetName: c, outputDatasetName: b, names: [x]}
  - {service: function/python, name: c, function: c, functionParameters: {x: {y: [$a.k]}}}
)"));
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().message,
            "steps wait for each other: 'a' (line 4) needs 'b' (line 5) needs 'c' (line 6) needs 'a' (line 4)");
  auto itself = order_steps(flow("  - {service: function/python, name: a, function: c, functionParameters: {x: $a}}\n"));
  ASSERT_FALSE(itself);
  EXPECT_EQ(itself.error().message, "steps wait for each other: 'a' (line 2) needs 'a' (line 2)");
}

TEST(OrderSteps, KeepsTheOrderOfTheFileWhereNothingSpeaksAgainstIt) {
  EXPECT_EQ(*order_steps(flow(R"(
  - {service: function/python, name: c, function: c}
  - {service: function/python, name: a, function: c}
  - {service: function/python, name: b, function: c}
)")),
            (std::vector<std::size_t>{0, 1, 2}));
}

// Random graphs in random order: every step stands after all it uses, and after their types.
TEST(OrderSteps, PutsEveryStepAfterWhatItUses) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const int count = 12;
    std::vector<std::string> lines;
    for (int i = 0; i < count; ++i) {
      std::string uses;
      for (int k = 0; k < i; ++k)
        if (random() % 3 == 0) uses += fmt::format("{}$s{}", uses.empty() ? "" : ", ", k);
      lines.push_back(
          fmt::format("  - {{service: function/python, name: s{}, function: c, functionParameters: {{x: [{}]}}}}\n", i, uses));
      if (random() % 3 == 0)
        lines.push_back(fmt::format("  - {{service: transform/dataType, inputDatasetName: s{}, types: {{a: number}}}}\n", i));
    }
    std::ranges::shuffle(lines, random);
    auto workflow = flow(fmt::format("{}", fmt::join(lines, "")));
    auto order = order_steps(workflow);
    ASSERT_TRUE(order);
    std::map<std::string, int> open;  // steps still to come that make or type a name
    for (const auto& step : workflow.steps) ++open[step.title];
    for (auto index : *order) {
      const auto& step = workflow.steps[index];
      bool types = step.service == "transform/dataType";
      for (const auto& name : step.uses) EXPECT_EQ(open[name], types && name == step.title ? 1 : 0) << step.title;
      --open[step.title];
    }
  }
}

}  // namespace
}  // namespace lo::workflow
