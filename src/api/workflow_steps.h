// The steps of a workflow as the server has them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/handlers.h"
#include "workflow/plan.h"

namespace lo::api {

struct StoredSteps {
  std::map<std::string, StepRecord, std::less<>> records;  // what there is of the names
  workflow::Stored views;                                  // the same, as the plan takes it
};

Awaitable<Result<StoredSteps>> look_up(const Context& context, std::vector<std::string> names);

// The record of a workflow. Code::not_found.
Awaitable<Result<catalog::Workflow>> load_workflow(const Context& context, std::string name);

// What a record's document says. Code::corrupt when it is none, which only another program can have written.
Result<workflow::Workflow> posted_workflow(const catalog::Workflow& record);

// What GET /workflow/{name} shows: every step that the workflow has made, and how far all of them are. `steps` holds record.steps. Pure.
json::object workflow_view(const catalog::Workflow& record, const workflow::Workflow& posted, const StoredSteps& steps);

// What the list of workflows shows. Pure.
json::object workflow_summary(const catalog::Workflow& record);

}  // namespace lo::api
