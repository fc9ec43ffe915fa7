#include "api/workflow_schemas.h"

#include "workflow/services.h"

namespace lo::api {
namespace {

json::object text() { return {{"type", "string"}}; }
json::object flag() { return {{"type", "boolean"}}; }
json::object name() { return {{"$ref", "#/components/schemas/Name"}}; }
json::object list_of(json::object items) { return {{"type", "array"}, {"items", std::move(items)}}; }

// All members required but those in `optional`.
json::object object_of(json::object properties, json::object optional = {}) {
  json::array required;
  for (const auto& member : properties) required.emplace_back(member.key());
  for (const auto& member : optional) properties[member.key()] = member.value();
  return {{"type", "object"}, {"required", std::move(required)}, {"properties", std::move(properties)}};
}

json::object in_result(json::object schema) { return object_of({{"result", std::move(schema)}}); }

json::object reasoned() { return object_of({{"name", name()}, {"reason", text()}}); }

json::object summary() {
  return {{"name", name()}, {"timeCreated", text()}, {"timeChanged", text()}};
}

json::object said_of_all() { return {{"description", text()}, {"schedule", {{"$ref", "#/components/schemas/Schedule"}}}}; }

json::object service_names() {
  json::array names;
  for (const auto& service : workflow::services()) names.emplace_back(service.name);
  return {{"type", "string"}, {"enum", std::move(names)}};
}

json::object upload() {
  auto schema = object_of({{"digest", {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}}}}, {{"bytes", {{"type", "integer"}, {"minimum", 0}}}});
  schema["description"] = "instead of a URL: the file that the step of this name was made of";
  return schema;
}

}  // namespace

json::object workflow_schema() {
  auto step = object_of({{"service", service_names()}}, {{"upload", upload()}});
  step["description"] = "the body of the service's own POST (of transform/dataType: PATCH) beside `service`";
  auto steps = list_of(std::move(step));
  steps["minItems"] = 1;
  auto schema = object_of({{"name", name()}, {"steps", std::move(steps)}}, said_of_all());
  schema["additionalProperties"] = false;
  return schema;
}

json::object workflow_posted_schema() {
  json::object action{{"type", "string"}, {"enum", json::array{"created", "changed", "run again", "reused"}}};
  auto step = object_of({{"name", name()}, {"service", text()}, {"action", std::move(action)}, {"reason", text()}, {"finished", flag()}});
  return object_of({{"result", text()}, {"name", name()}, {"steps", list_of(std::move(step))}, {"removed", list_of(reasoned())}, {"pruned", list_of(name())}},
                   {{"metadata", {{"description", "with Prefer: wait, of its steps"}}}});
}

json::object workflow_shown_schema() {
  auto properties = summary();
  properties["finished"] = flag();
  properties["stale"] = flag();
  properties["counts"] = json::object{{"type", "object"}, {"description", "steps by status"}, {"additionalProperties", {{"type", "integer"}}}};
  auto step = object_of({{"name", name()}, {"service", text()}, {"status", text()}, {"finished", flag()}, {"stale", flag()}},
                        {{"revision", {{"type", "integer"}}}, {"result", text()}, {"reason", text()}, {"exception", text()}, {"staleReason", text()}});
  properties["steps"] = list_of(std::move(step));
  properties["removed"] = list_of(name());
  return in_result(object_of(std::move(properties), said_of_all()));
}

json::object workflows_schema() {
  auto properties = summary();
  properties["steps"] = list_of(name());
  return in_result(list_of(object_of(std::move(properties), said_of_all())));
}

json::object workflow_times_schema() {
  return object_of({{"result", list_of(object_of({{"time", text()}, {"finished", flag()}}))}},
                   {{"next", {{"type", "string"}, {"description", "where there are more than 1000: `from` of the request for those that follow"}}}});
}

json::object workflow_rerun_schema() {
  auto schema = object_of({{"scheduledFor", {{"type", "string"}, {"format", "date-time"}, {"description", "$clock in parameters"}}}});
  schema["additionalProperties"] = false;
  return schema;
}

json::object workflow_rerun_answer_schema() {
  return object_of({{"result", text()}, {"steps", list_of(name())}}, {{"metadata", {{"description", "with Prefer: wait, of its steps"}}}});
}

json::object workflow_deleted_schema() {
  return object_of({{"result", text()}, {"deleted", list_of(name())}, {"kept", list_of(reasoned())}});
}

}  // namespace lo::api
