#include "api/metadata.h"

#include <algorithm>
#include <fmt/format.h>
#include <ranges>

#include "api/service.h"
#include "engine/schedule.h"

namespace lo::api {
namespace {

using catalog::Revision;

json::value time_or_null(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

// The revision whose end decides what state the name is in: the newest, but a dataType that did not work leaves the dataset as it was.
const Revision& deciding(const StepRecord& record) {
  const auto& newest = record.newest();
  const auto* good = record.last_good();
  auto typed_in_place = newest.operation != record.step.service;
  auto ended_badly = newest.state == State::failed || newest.state == State::cancelled;
  return typed_in_place && ended_badly && good != nullptr ? *good : newest;
}

void add_state(const StepRecord& record, json::object& out) {
  const auto& shown = deciding(record);
  out["timeCreated"] = format_time(record.step.created);
  out["finished"] = is_terminal(shown.state);
  out["status"] = to_string(shown.state);
  if (shown.reason != Reason::none) out["reason"] = to_string(shown.reason);
  out["exception"] = shown.exception.empty() ? json::value(nullptr) : json::value(shown.exception);
  out["revision"] = shown.key.revision;
  out["attempts"] = shown.attempts;
  out["startTime"] = time_or_null(shown.started);
  out["endTime"] = time_or_null(shown.ended);
  if (auto time = engine::scheduled_for(shown.facts)) out[engine::kScheduledFor] = format_time(*time);
  if (record.standing && record.standing->next_run) out["nextRun"] = format_time(*record.standing->next_run);
  if (shown.started && shown.ended) out["seconds"] = std::chrono::duration<double>(*shown.ended - *shown.started).count();
  if (&shown != &record.newest())
    out["lastError"] = fmt::format("{}: {}", record.newest().operation, record.newest().exception.empty()
                                                                            ? std::string(to_string(record.newest().state))
                                                                            : record.newest().exception);
}

// The newest revision that its own service makes: a dataType says nothing of where a dataset comes from.
const Revision& made_by_itself(const StepRecord& record) {
  auto newest = std::ranges::find(record.revisions.rbegin(), record.revisions.rend(), record.step.service, &Revision::operation);
  return newest == record.revisions.rend() ? record.revisions.front() : *newest;
}

// What the request says, under the names of 2021. Code is left to GET /step/{name}.
void add_request(const Revision& created, json::object& out) {
  const auto& request = created.request;
  for (auto key : {"datasetURI", "modelURI"})
    if (const auto* url = request.if_contains(key)) out["url"] = *url;
  if (const auto* parent = request.if_contains("inputDatasetName")) out["parentDatasetName"] = *parent;
  if (const auto* train = request.if_contains("trainDatasetName"))
    out["parentDatasetName"] = json::array{*train, request.at("testDatasetName")};
  for (auto key : {"parentName", "modelName", "modulePath", "class", "method", "classifier", "connection", "description", "functionParameters", "environment",
                   "schedule"})
    if (const auto* value = request.if_contains(key)) out[key] = *value;
}

void add_result(const Revision& good, json::object& out) {
  auto manifest = store::manifest_from_json(good.result);
  if (!manifest) return;
  if (manifest->is_table()) {
    json::array fields;
    json::object types;
    for (const auto& field : manifest->fields) {
      fields.emplace_back(field.name);
      types[field.name] = field.type;
    }
    out["fields"] = std::move(fields);
    out["types"] = std::move(types);
    if (manifest->rows) out["rows"] = *manifest->rows;
  }
  out["kind"] = to_string(manifest->kind);
  out["digest"] = manifest->digest();
  out["bytes"] = manifest->bytes();
  for (const auto& fact : good.facts)
    if (!out.contains(fact.key())) out[fact.key()] = fact.value();
  if (!out.contains("typeName") && !manifest->type_name.empty()) out["typeName"] = manifest->type_name;
}

void add_cost(const StepRecord& record, const Revision& shown, json::object& out) {
  double seconds = 0;
  std::int64_t peak = 0;
  for (const auto& attempt : record.attempts) {
    if (attempt.key != shown.key) continue;
    seconds += attempt.cpu_seconds;
    peak = std::max(peak, attempt.peak_memory);
  }
  out["cpuSeconds"] = seconds;
  out["peakMemory"] = peak;
}

std::string why_it_waits(const StepRecord& record) {
  const auto& standing = *record.standing;
  if (!standing.waits_for.empty()) return fmt::format("for {}", fmt::join(standing.waits_for, ", "));
  if (standing.queue_place) {
    auto what = standing.short_of.empty() ? "" : fmt::format(", for {}", fmt::join(standing.short_of, " and "));
    return fmt::format("place {} in the queue{}", *standing.queue_place, what);
  }
  if (standing.due) return fmt::format("until {}", format_time(*standing.due));
  if (standing.retry_in) return fmt::format("next attempt in {:.1f} s", std::max(0.0, *standing.retry_in));
  return "";
}

json::array revisions_of(const StepRecord& record) {
  json::array out;
  for (const auto& revision : record.revisions)
    out.push_back(json::object{{"revision", revision.key.revision},
                               {"operation", revision.operation},
                               {"status", to_string(revision.state)},
                               {"reason", to_string(revision.reason)},
                               {"exception", revision.exception},
                               {"attempts", revision.attempts},
                               {"accepted", format_time(revision.accepted)},
                               {"startTime", time_or_null(revision.started)},
                               {"endTime", time_or_null(revision.ended)},
                               {"request", revision.request}});
  for (std::size_t i = 0; i < out.size(); ++i)
    if (auto time = engine::scheduled_for(record.revisions[i].facts)) out[i].as_object()[engine::kScheduledFor] = format_time(*time);
  return out;
}

}  // namespace

const Revision* StepRecord::last_good() const {
  for (const auto& revision : revisions | std::views::reverse)
    if (revision.state == State::finished) return &revision;
  return nullptr;
}

const Revision* StepRecord::find(int number) const {
  auto at = std::ranges::find(revisions, number, [](const Revision& revision) { return revision.key.revision; });
  return at == revisions.end() ? nullptr : &*at;
}

Result<StepRecord> read_step(const Context& context, std::string_view name) {
  LO_ASSIGN(auto step, context.catalog->find_step(name));
  if (!step) return fail(Code::not_found, fmt::format("there is no step \"{}\"", name));
  return read_step(context, *std::move(step));
}

Result<StepRecord> read_step(const Context& context, catalog::Step step) {
  StepRecord record;
  LO_ASSIGN(record.revisions, context.catalog->revisions(step.id));
  LO_ASSIGN(record.attempts, context.catalog->attempts(step.id));
  if (record.revisions.empty()) return fail(Code::not_found, fmt::format("there is no step \"{}\"", step.name));
  record.step = std::move(step);
  return record;
}

json::object metadata_of(const StepRecord& record) {
  const auto* service = find_service(record.step.service);
  json::object out;
  out["_id"] = 0;
  out[service == nullptr ? "name" : service->name_key] = record.step.name;
  out["name"] = record.step.name;
  out["type"] = record.step.service;
  add_state(record, out);
  const auto* good = record.last_good();
  add_request(made_by_itself(record), out);
  if (good != nullptr) add_result(*good, out);
  add_cost(record, deciding(record), out);
  if (!record.step.labels.empty()) out["labels"] = record.step.labels;
  out["stale"] = record.standing && record.standing->stale;
  if (record.standing && record.standing->stale) out["staleReason"] = *record.standing->stale;
  return out;
}

json::array executions_of(const StepRecord& record) {
  json::array out;
  for (const auto& attempt : record.attempts) {
    const auto* revision = record.find(attempt.key.revision);
    json::object document{{"_id", out.size() + 1},
                          {"exception", attempt.exception.empty() ? json::value(nullptr) : json::value(attempt.exception)},
                          {"functionMessage", attempt.message},
                          {"startTime", format_time(attempt.started)},
                          {"endTime", time_or_null(attempt.ended)},
                          {"status", to_string(attempt.state)},
                          {"reason", to_string(attempt.reason)},
                          {"revision", attempt.key.revision},
                          {"attempt", attempt.number},
                          {"cpuSeconds", attempt.cpu_seconds},
                          {"peakMemory", attempt.peak_memory}};
    if (revision != nullptr)
      for (auto key : {"description", "functionParameters", "methodParameters"})
        if (const auto* value = revision->request.if_contains(key)) document[key] = *value;
    out.push_back(std::move(document));
  }
  return out;
}

json::object step_view_of(const StepRecord& record) {
  auto out = metadata_of(record);
  const auto& newest = record.newest();
  out["service"] = record.step.service;
  out["operation"] = newest.operation;
  out["request"] = newest.request;
  json::array parents;
  for (const auto& parent : newest.parents) {
    json::object shown{{"name", parent.name}, {"revision", parent.key.revision}};
    if (record.standing)
      for (const auto& [name, revision] : record.standing->newest_parents)
        if (name == parent.name) shown["newest"] = revision;
    parents.push_back(std::move(shown));
  }
  out["parents"] = std::move(parents);
  out["waitsFor"] = json::array{};
  out["wait"] = "";
  if (record.standing) {
    out["waitsFor"] = json::value_from(record.standing->waits_for);
    out["wait"] = why_it_waits(record);
  }
  out["revisions"] = revisions_of(record);
  out["executions"] = executions_of(record);
  return out;
}

}  // namespace lo::api
