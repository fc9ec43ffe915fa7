#include "cli/plan_execution.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/services.h"

namespace lo::cli {
namespace {

std::string route_of_name(const FileStep& step, std::string_view name) {
  return fmt::format("{}/{}", step.service, url_escaped(name));
}

Status done(Result<json::value> answer) {
  if (!answer) return fail(std::move(answer).error());
  return {};
}

Status create(ApiClient& api, const FileStep& step, const Action& action) {
  if (step.service == kDataType) return done(api.call("PATCH", step.service, json::serialize(action.body)));
  if (action.sends_file) return api.upload("POST", step.service, *step.upload, action.body);
  return done(api.call("POST", step.service, json::serialize(action.body)));
}

Status patch(ApiClient& api, const FileStep& step, const Action& action) {
  auto route = route_of_name(step, action.names.front());
  if (action.sends_file) return api.upload("PATCH", route, *step.upload, action.body);
  return done(api.call("PATCH", route, json::serialize(action.body)));
}

Status rerun(ApiClient& api, const Action& action) {
  return done(api.call("POST", fmt::format("step/{}/rerun", url_escaped(action.names.front()))));
}

Status ask_once(ApiClient& api, const FileStep& step, const Action& action) {
  switch (action.act) {
    case Act::reuse: return {};
    case Act::create: return create(api, step, action);
    case Act::patch: return patch(api, step, action);
    case Act::rerun: return rerun(api, action);
  }
  return {};
}

// The names whose revisions tell whether the action was done.
std::vector<std::string> touched_names(const FileStep& step, const Action& action) {
  return action.names.empty() ? std::vector{step.title} : action.names;
}

// Every name of the action has a newer revision than the plan saw.
Result<bool> was_done(ApiClient& api, const Stored& stored, const FileStep& step, const Action& action) {
  for (const auto& name : touched_names(step, action)) {
    LO_ASSIGN(auto now, api.find_step(name));
    auto before = stored.find(name);
    // A dataset that the plan itself makes is at its first revision when its types are asked for.
    int seen = before != stored.end() ? before->second.revision : step.service == kDataType ? 1 : 0;
    if (!now || now->revision <= seen) return false;
  }
  return true;
}

// The server gives a step that failed with its parent a new revision as soon as the parent has one.
Result<bool> goes_on_by_itself(ApiClient& api, const Stored& stored, const FileStep& step, const Action& action) {
  if (action.act != Act::rerun || stored.at(action.names.front()).reason != "upstream_failed") return false;
  return was_done(api, stored, step, action);
}

Error at(const FileStep& step, Error error) {
  error.message = fmt::format("{}: '{}': {}", step.where, step.title, error.message);
  return error;
}

}  // namespace

Result<Stored> look_up(ApiClient& api, Patience& patience, const std::vector<std::string>& names) {
  Stored stored;
  for (const auto& name : names) {
    LO_ASSIGN(auto view, patience.ask([&] { return api.find_step(name); }));
    if (view) stored.emplace(name, *std::move(view));
  }
  return stored;
}

Status carry_out(ApiClient& api, Patience& patience, const Workflow& workflow, const Stored& stored, const Action& action) {
  const auto& step = workflow.steps[action.step];
  bool cut = false;
  auto attempt = [&]() -> Status {
    if (cut || action.act == Act::rerun) {
      LO_ASSIGN(bool is_done, cut ? was_done(api, stored, step, action) : goes_on_by_itself(api, stored, step, action));
      if (is_done) return {};
    }
    auto asked = ask_once(api, step, action);
    if (!asked && asked.error().code == Code::conflict) {  // it has just begun by itself
      LO_ASSIGN(bool is_done, goes_on_by_itself(api, stored, step, action));
      if (is_done) return {};
    }
    cut = cut || (!asked && asked.error().code == Code::unavailable);
    return asked;
  };
  auto asked = patience.ask(attempt);
  if (!asked && asked.error().code != Code::cancelled) return fail(at(step, std::move(asked).error()));
  return asked;
}

}  // namespace lo::cli
