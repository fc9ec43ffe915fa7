#include "workflow/timing.h"

#include <gmock/gmock.h>

#include "workflow/document.h"
#include "workflow/export.h"
#include "workflow/services.h"

namespace lo::workflow {
namespace {

using testing::HasSubstr;

json::object object(std::string_view text) { return parse_json_object(text).value(); }

Result<Workflow> parsed(std::string_view yaml) { return parse_workflow(*read_yaml(yaml), ""); }

const FileStep& step(const Workflow& workflow, std::string_view title) {
  return *std::ranges::find_if(workflow.steps, [&](const auto& each) { return each.title == title && each.service != kDataType; });
}

constexpr std::string_view kSteps = R"(
steps:
  - {service: environment, name: e, requirements: [six]}
  - {service: dataset/csv, datasetName: d, datasetURI: "https://example.org/d.csv"}
  - {service: transform/dataType, inputDatasetName: d, types: {a: number}}
  - {service: function/python, name: root, function: "response = 1", environment: e}
  - {service: function/python, name: outside, function: "response = x", functionParameters: {x: $elsewhere}}
  - {service: function/python, name: child, function: "response = x", functionParameters: {x: $d}}
  - {service: function/python, name: dated, function: "response = x", functionParameters: {x: [$d, $clock.date]}}
)";

Workflow flow(std::string_view schedule, std::string_view steps = kSteps) {
  auto workflow = parsed("name: w\nschedule: " + std::string(schedule) + std::string(steps));
  EXPECT_TRUE(workflow) << workflow.error().message;
  return *workflow;
}

TEST(Timing, RootsAndWhatAsksForTheClockRunByTheScheduleTheOthersFollow) {
  auto workflow = flow("{cron: '0 2 * * *'}");
  auto scheduled = object(R"({"schedule": {"cron": "0 2 * * *"}})");
  EXPECT_EQ(step(workflow, "d").implied, scheduled);
  EXPECT_EQ(step(workflow, "root").implied, scheduled);
  EXPECT_EQ(step(workflow, "outside").implied, scheduled);
  EXPECT_EQ(step(workflow, "child").implied, object(R"({"autoUpdate": true})"));
  EXPECT_EQ(step(workflow, "dated").implied, object(R"({"schedule": {"cron": "0 2 * * *"}, "autoUpdate": true})"));
  EXPECT_TRUE(step(workflow, "e").implied.empty());
  EXPECT_EQ(step(workflow, "child").body.at("autoUpdate"), true);
  EXPECT_EQ(step(workflow, "d").body.at("schedule"), scheduled.at("schedule"));
  EXPECT_TRUE(std::ranges::find(workflow.steps, kDataType, &FileStep::service)->implied.empty());
}

TEST(Timing, OnceIsNothingToFollow) {
  auto workflow = flow("{at: '2030-01-01T00:00:00Z'}");
  EXPECT_TRUE(step(workflow, "d").implied.contains("schedule"));
  EXPECT_TRUE(step(workflow, "child").implied.empty());
  EXPECT_FALSE(step(workflow, "dated").implied.contains("autoUpdate"));
}

TEST(Timing, WithoutAScheduleNothingIsImplied) {
  auto workflow = flow("null");
  EXPECT_FALSE(workflow.schedule);
  for (const auto& each : workflow.steps) EXPECT_TRUE(each.implied.empty());
}

constexpr std::string_view kExceptions = R"(
steps:
  - {service: function/python, name: own, function: "response = 1", schedule: {cron: "@daily"}}
  - {service: function/python, name: never, function: "response = 1", schedule: null}
  - {service: function/python, name: child, function: "response = x", functionParameters: {x: $own}, autoUpdate: false}
)";

TEST(Timing, AStepHasTheLastWord) {
  auto workflow = flow("{cron: '0 2 * * *'}", kExceptions);
  EXPECT_EQ(step(workflow, "own").body.at("schedule"), object(R"({"cron": "@daily"})"));
  EXPECT_TRUE(step(workflow, "never").body.at("schedule").is_null());
  EXPECT_EQ(step(workflow, "child").body.at("autoUpdate"), false);
}

TEST(Timing, ADocumentSaysOnlyWhatIsNotImplied) {
  for (auto steps : {kSteps, kExceptions}) {
    auto workflow = flow("{cron: '0 2 * * *'}", steps);
    auto document = document_of(workflow);
    auto again = parse_workflow({.value = document, .lines = {}}, "");
    ASSERT_TRUE(again);
    EXPECT_EQ(document_of(*again), document);
    for (std::size_t i = 0; i < workflow.steps.size(); ++i) EXPECT_EQ(again->steps[i].body, workflow.steps[i].body);
  }
  auto steps = document_of(flow("{cron: '0 2 * * *'}")).at("steps").as_array();
  for (const auto& each : steps) EXPECT_FALSE(each.as_object().contains("schedule") || each.as_object().contains("autoUpdate"));
}

// A request as the server keeps it: nothing that goes without saying.
StepView stored(const std::string& name, std::string_view request) {
  StepView view;
  view.name = name;
  view.service = "function/python";
  view.revision = 1;
  view.status = "finished";
  view.revisions.push_back({.revision = 1, .operation = "function/python", .status = "finished", .reason = {}, .exception = {}, .request = object(request)});
  return view;
}

TEST(Timing, AnExportKeepsTheExceptions) {
  auto workflow = flow("{cron: '0 2 * * *'}", kExceptions);
  Stored steps;
  steps["own"] = stored("own", R"({"name": "own", "function": "response = 1", "schedule": {"cron": "0 2 * * *"}})");  // patched meanwhile
  steps["never"] = stored("never", R"({"name": "never", "function": "response = 1"})");
  steps["child"] = stored("child", R"({"name": "child", "function": "response = x", "functionParameters": {"x": "$own"}})");
  auto document = export_workflow(workflow, steps);
  ASSERT_TRUE(document) << document.error().message;
  auto again = parse_workflow({.value = *document, .lines = {}}, "");
  ASSERT_TRUE(again);
  EXPECT_EQ(step(*again, "own").body.at("schedule"), object(R"({"cron": "0 2 * * *"})"));
  EXPECT_TRUE(step(*again, "never").body.at("schedule").is_null());
  EXPECT_EQ(step(*again, "child").body.at("autoUpdate"), false);
  EXPECT_FALSE(document->at("steps").at(0).as_object().contains("schedule"));
}

TEST(Timing, AScheduleThatIsNoneIsRefused) {
  auto workflow = parsed("name: w\nschedule: nightly\nsteps: [{service: environment, name: e, requirements: [six]}]");
  ASSERT_FALSE(workflow);
  EXPECT_THAT(workflow.error().message, HasSubstr("'schedule' must have 'at' or 'cron'"));
  EXPECT_EQ(workflow.error().fields.front().pointer, "/schedule");
}

}  // namespace
}  // namespace lo::workflow
