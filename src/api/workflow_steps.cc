#include "api/workflow_steps.h"

#include <algorithm>
#include <fmt/format.h>

namespace lo::api {
namespace {

std::map<std::string, std::string> services_of(const workflow::Workflow& posted) {
  std::map<std::string, std::string> services;
  for (const auto& step : posted.steps)
    for (const auto& name : step.makes) services[name] = step.service;
  return services;
}

// A step that is to be there and is not: deleted, or not made yet by a post that was cut off.
json::object missing_step(const std::string& name, const std::string& service) {
  return {{"name", name}, {"service", service}, {"status", "missing"}, {"finished", true}, {"stale", false}};
}

json::object step_summary(const std::string& name, const StepRecord& record) {
  auto metadata = metadata_of(record);
  json::object out{{"name", name},
                   {"service", record.step.service},
                   {"status", metadata.at("status")},
                   {"finished", metadata.at("finished")},
                   {"stale", metadata.at("stale")},
                   {"revision", record.newest().key.revision},
                   {"result", documents_url(record.step.service, name)}};
  for (auto key : {"reason", "exception", "staleReason"})
    if (const auto* value = metadata.if_contains(key); value != nullptr && !value->is_null()) out[key] = *value;
  return out;
}

}  // namespace

Awaitable<Result<StoredSteps>> look_up(const Context& context, std::vector<std::string> names) {
  auto read = [&]() -> Result<StoredSteps> {
    StoredSteps stored;
    for (const auto& name : names) {
      auto record = read_step(context, name);
      if (!record && record.error().code == Code::not_found) continue;
      LO_TRY(record);
      stored.records.emplace(name, *std::move(record));
    }
    return stored;
  };
  auto stored = co_await context.pool->run(read);
  if (!stored) co_return stored;
  for (auto& [name, record] : stored->records) {
    if (auto known = co_await add_standing(context, record); !known) co_return std::unexpected(known.error());
    auto view = workflow::step_view_from(step_view_of(record));
    if (!view) co_return std::unexpected(view.error());
    stored->views.emplace(name, *std::move(view));
  }
  co_return stored;
}

Awaitable<Result<catalog::Workflow>> load_workflow(const Context& context, std::string name) {
  auto record = co_await context.pool->run([&] { return context.catalog->find_workflow(name); });
  if (!record) co_return std::unexpected(record.error());
  if (!*record) co_return fail(Code::not_found, fmt::format("there is no workflow \"{}\"", name));
  co_return **std::move(record);
}

Result<workflow::Workflow> posted_workflow(const catalog::Workflow& record) {
  auto posted = workflow::parse_workflow({.value = record.document, .lines = {}}, record.name);
  if (!posted)
    return fail(Code::corrupt, fmt::format("the document of the workflow \"{}\" cannot be read: {}", record.name, posted.error().message));
  return posted;
}

json::object workflow_view(const catalog::Workflow& record, const workflow::Workflow& posted, const StoredSteps& stored) {
  auto out = workflow_summary(record);
  auto services = services_of(posted);
  bool finished = true, stale = false;
  json::array steps, removed;
  std::map<std::string, int> counts;
  for (const auto& name : record.steps) {
    auto found = stored.records.find(name);
    auto service = services.find(name);
    if (service == services.end()) {
      if (found != stored.records.end()) removed.emplace_back(name);
      continue;
    }
    auto step = found == stored.records.end() ? missing_step(name, service->second) : step_summary(name, found->second);
    ++counts[string_or(step, "status")];
    finished = finished && step.at("finished").get_bool();
    stale = stale || step.at("stale").get_bool();
    steps.push_back(std::move(step));
  }
  out["finished"] = finished;
  out["stale"] = stale;
  out["counts"] = json::value_from(counts);
  out["steps"] = std::move(steps);
  out["removed"] = std::move(removed);
  return out;
}

json::object workflow_summary(const catalog::Workflow& record) {
  json::object out{{"name", record.name},
                   {"timeCreated", format_time(record.created)},
                   {"timeChanged", format_time(record.changed)},
                   {"steps", json::value_from(record.steps)}};
  for (auto key : {"description", "schedule"})
    if (const auto* said = record.document.if_contains(key)) out[key] = *said;
  return out;
}

}  // namespace lo::api
