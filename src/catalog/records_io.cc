#include "catalog/records_io.h"

#include <algorithm>
#include <fmt/format.h>

namespace lo::catalog {
namespace {

std::unexpected<Error> corrupt(std::string_view column, std::string_view why) {
  return fail(Error{.code = Code::corrupt,
                    .message = "the catalog is damaged",
                    .internal = fmt::format("column {}: {}", column, why)});
}

Result<json::object> read_object(Row& row, std::string_view column) {
  auto text = row.view();
  if (text == "{}") return json::object();
  auto object = parse_json_object(text, kStoredDepth);
  if (!object) return corrupt(column, object.error().message);
  return object;
}

Result<State> read_state(Row& row) {
  auto text = row.view();
  auto state = parse_state(text);
  if (!state) return corrupt("state", text);
  return *state;
}

Result<Reason> read_reason(Row& row) {
  auto text = row.view();
  auto reason = parse_reason(text);
  if (!reason) return corrupt("reason", text);
  return *reason;
}

Result<Parent> read_parent(const json::value& value) {
  const auto* object = value.if_object();
  const auto* step = object == nullptr ? nullptr : object->if_contains("step");
  const auto* revision = object == nullptr ? nullptr : object->if_contains("revision");
  if (step == nullptr || !step->is_int64() || revision == nullptr || !revision->is_int64())
    return corrupt("parents", write_json(value));
  return Parent{.name = string_or(*object, "name"),
                .key = {.step = step->get_int64(), .revision = static_cast<int>(revision->get_int64())}};
}

Result<std::vector<Parent>> parents_of(const Result<json::value>& list) {
  if (!list || !list->is_array()) return corrupt("parents", "not a list");
  std::vector<Parent> parents;
  for (const auto& element : list->get_array()) {
    LO_ASSIGN(auto parent, read_parent(element));
    parents.push_back(std::move(parent));
  }
  return parents;
}

Result<std::vector<Parent>> read_parents(Row& row) {
  auto text = row.view();
  return text == "[]" ? std::vector<Parent>() : parents_of(parse_json(text));
}

WallTime read_time(Row& row) { return from_micros(row.integer()); }

std::optional<WallTime> read_optional_time(Row& row) {
  auto micros = row.optional_integer();
  return micros ? std::optional(from_micros(*micros)) : std::nullopt;
}

int read_int(Row& row) { return static_cast<int>(row.integer()); }

RevisionKey read_key(Row& row) {
  auto step = row.integer();
  return {.step = step, .revision = read_int(row)};
}

}  // namespace

Result<Step> read_step(Row& row) {
  Step step;
  step.id = row.integer();
  step.name = row.text();
  step.service = row.text();
  step.created = read_time(row);
  LO_ASSIGN(step.labels, read_object(row, "labels"));
  return step;
}

Result<Revision> read_revision(Row& row) {
  Revision revision;
  revision.key = read_key(row);
  revision.name = row.text();
  revision.operation = row.text();
  revision.job = row.text();
  LO_ASSIGN(revision.request, read_object(row, "request"));
  LO_ASSIGN(revision.parents, read_parents(row));
  LO_ASSIGN(revision.state, read_state(row));
  LO_ASSIGN(revision.reason, read_reason(row));
  revision.exception = row.text();
  revision.accepted = read_time(row);
  revision.started = read_optional_time(row);
  revision.ended = read_optional_time(row);
  revision.attempts = read_int(row);
  revision.lost = read_int(row);
  LO_ASSIGN(revision.facts, read_object(row, "facts"));
  return revision;
}

Result<Revision> read_revision_and_result(Row& row) {
  LO_ASSIGN(auto revision, read_revision(row));
  LO_ASSIGN(revision.result, read_object(row, "result"));
  return revision;
}

Result<Revision> OutlineReader::read(Row& row) {
  Revision revision;
  revision.key = read_key(row);
  revision.operation = row.text();
  LO_ASSIGN(revision.parents, read_parents(row));
  LO_ASSIGN(revision.state, read_state(row));
  LO_ASSIGN(revision.reason, read_reason(row));
  revision.accepted = read_time(row);
  revision.ended = read_optional_time(row);
  LO_ASSIGN(revision.request, members(row.view(), outline_.request));
  LO_ASSIGN(revision.facts, members(row.view(), outline_.facts));
  return revision;
}

Result<std::vector<Parent>> OutlineReader::read_parents(Row& row) {
  auto text = row.view();
  return text == "[]" ? std::vector<Parent>() : parents_of(json_.read(text, memory_));
}

// To look for their names first takes much less than to read the text.
Result<json::object> OutlineReader::members(std::string_view text, const std::vector<std::string_view>& names) {
  json::object out(memory_);
  if (std::ranges::none_of(names, [&](auto name) { return text.contains(name); })) return out;
  auto object = json_.read(text, memory_);
  if (!object || !object->is_object()) return corrupt("request or facts", object ? "not an object" : object.error().message);
  for (auto name : names)
    if (auto* value = object->get_object().if_contains(name); value != nullptr && !value->is_null()) out.emplace(name, std::move(*value));
  return out;
}

Result<Attempt> read_attempt(Row& row) {
  Attempt attempt;
  attempt.key = read_key(row);
  attempt.number = read_int(row);
  attempt.token = row.text();
  attempt.started = read_time(row);
  attempt.ended = read_optional_time(row);
  LO_ASSIGN(attempt.state, read_state(row));
  LO_ASSIGN(attempt.reason, read_reason(row));
  attempt.exception = row.text();
  attempt.message = row.text();
  attempt.cpu_seconds = row.real();
  attempt.peak_memory = row.integer();
  return attempt;
}

Result<Event> read_event(Row& row) {
  Event event;
  event.seq = row.integer();
  event.at = read_time(row);
  event.name = row.text();
  event.service = row.text();
  event.revision = read_int(row);
  event.type = row.text();
  LO_ASSIGN(event.data, read_object(row, "data"));
  return event;
}

Result<Subscription> read_subscription(Row& row) {
  Subscription subscription;
  subscription.name = row.text();
  subscription.created = read_time(row);
  LO_ASSIGN(subscription.options, read_object(row, "options"));
  return subscription;
}

Result<Workflow> read_workflow(Row& row) {
  Workflow workflow;
  workflow.name = row.text();
  workflow.created = read_time(row);
  workflow.changed = read_time(row);
  auto steps = parse_json(row.text());
  if (!steps || !steps->is_array()) return corrupt("steps", "not a list");
  for (const auto& name : steps->get_array()) {
    if (!name.is_string()) return corrupt("steps", write_json(name));
    workflow.steps.emplace_back(name.get_string());
  }
  LO_ASSIGN(workflow.document, read_object(row, "document"));
  return workflow;
}

Result<Receipt> read_receipt(Row& row) {
  Receipt receipt;
  receipt.key = row.text();
  receipt.request = row.text();
  receipt.created = read_time(row);
  LO_ASSIGN(receipt.answer, read_object(row, "answer"));
  return receipt;
}

Result<Usage> read_usage(Row& row) {
  Usage usage;
  usage.value = row.text();
  usage.steps = row.integer();
  usage.revisions = row.integer();
  usage.attempts = row.integer();
  usage.cpu_seconds = row.real();
  usage.peak_memory = row.integer();
  usage.bytes = row.integer();
  return usage;
}

std::string write_parents(const std::vector<Parent>& parents) {
  json::array list;
  for (const auto& parent : parents)
    list.push_back({{"name", parent.name}, {"step", parent.key.step}, {"revision", parent.key.revision}});
  return write_json(list);
}

std::optional<std::int64_t> optional_micros(const std::optional<WallTime>& time) {
  return time ? std::optional(to_micros(*time)) : std::nullopt;
}

}  // namespace lo::catalog
