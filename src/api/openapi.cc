#include "api/openapi.h"

#include <fmt/format.h>
#include <set>
#include <stdexcept>

#include "api/observe_schemas.h"
#include "api/openapi_parts.h"
#include "api/operations.h"

namespace lo::api {
namespace {

json::object header_parameter(std::string_view name, json::object schema, std::string_view description) {
  return parameter(name, "header", std::move(schema), description);
}

json::object wait_parameter() {
  return header_parameter("Prefer", text_schema(), "wait=N: answer after the end of the step, or after N seconds (at most 300), with the member metadata");
}

json::object key_parameter() {
  return header_parameter("Idempotency-Key", {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}, {"pattern", "^[!-~]+$"}},
                          "of the client's choice: a repeat of the request with the same key makes nothing and gets the first answer "
                          "again, with Idempotency-Replayed: true; also after a crash, for 24 hours");
}

json::object if_match_parameter() {
  return header_parameter("If-Match", text_schema(),
                          "ETag of any document that shows the step, such as GET /step/{name}, or several of them: done only while the step has "
                          "the same revision in the same state, else 412. What else such a document shows may have changed");
}

json::object if_none_match_parameter() {
  return header_parameter("If-None-Match", text_schema(), "ETag of an earlier answer: 304 without a body while it is the same");
}

json::object header_of(json::object schema, std::string_view description) {
  return {{"schema", std::move(schema)}, {"description", description}};
}

// Of an answer that is no problem.
json::object headers_of(const Operation& operation) {
  json::object out;
  if (operation.tagged) out["ETag"] = header_of(text_schema(), "of this answer, for If-None-Match; of a step, for If-Match");
  if (operation.waits) out["Preference-Applied"] = header_of(text_schema(), "wait=N, where Prefer asked for it");
  if (operation.once) out["Idempotency-Replayed"] = header_of({{"type", "string"}, {"enum", json::array{"true"}}}, "on the answer to a repeat");
  return out;
}

json::object problem_content() { return {{"application/problem+json", {{"schema", ref("Problem")}}}}; }

// What any operation of its kind may be refused with besides.
std::set<unsigned> problems_of(const Operation& operation) {
  std::set<unsigned> problems(operation.problems.begin(), operation.problems.end());
  if (operation.once) problems.insert({400, 409, 422, 507});
  if (operation.on_condition) problems.insert(412);
  return problems;
}

json::object answers_of(const Operation& operation) {
  json::object out;
  json::object content;
  for (const auto& type : operation.answer_types) content[type] = json::object{{"schema", operation.answer}};
  auto headers = headers_of(operation);
  for (auto status : operation.answers)
    out[fmt::to_string(status)] =
        json::object{{"description", status == 201 ? "Accepted, and on disk" : status == 503 ? "Not ready" : "OK"},
                     {"headers", headers},
                     {"content", content}};
  if (operation.tagged) out["304"] = json::object{{"description", "The same as If-None-Match says"}, {"headers", headers}};
  for (auto status : problems_of(operation))
    out[fmt::to_string(status)] = json::object{{"description", "Problem"}, {"content", problem_content()}};
  out["default"] = json::object{{"description", "Problem"}, {"content", problem_content()}};
  return out;
}

json::object operation_object(const http::Route& route, const Operation& operation) {
  json::object out{{"operationId", route.operation_id}, {"summary", operation.summary}};
  auto parameters = operation.parameters;
  if (route.pattern.contains("{name}")) parameters.push_back(parameter("name", "path", ref(operation.subject), "of the step"));
  if (operation.once) parameters.push_back(key_parameter());
  if (operation.waits) parameters.push_back(wait_parameter());
  if (operation.on_condition) parameters.push_back(if_match_parameter());
  if (operation.tagged) parameters.push_back(if_none_match_parameter());
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!operation.body.empty()) {
    auto content = operation.content;
    content["application/json"] = json::object{{"schema", operation.body}};
    out["requestBody"] = json::object{{"required", true}, {"content", std::move(content)}};
  }
  out["responses"] = answers_of(operation);
  return out;
}

json::object schemas() {
  return {
      {"Name", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]{1,128}$"}}},
      {"Reference", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]{1,128}(@[1-9][0-9]*)?$"}}},
      {"Status",
       {{"type", "string"},
        {"enum", json::array{"waiting", "scheduled", "queued", "running", "finished", "failed", "cancelled"}}}},
      {"Retry",
       {{"type", "object"},
        {"additionalProperties", false},
        {"properties",
         {{"maxAttempts", {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}}},
          {"delay", {{"type", "number"}, {"minimum", 0}, {"description", "seconds"}}},
          {"backoff", {{"type", "number"}, {"minimum", 1}, {"maximum", 100}}}}}}},
      {"Resources",
       {{"type", "object"},
        {"additionalProperties", false},
        {"properties",
         {{"cpu", {{"type", "number"}, {"minimum", 0.01}, {"maximum", 4096}}},
          {"gpu", {{"type", "integer"}, {"minimum", 0}, {"maximum", 1024}}},
          {"memory", {{"description", "bytes, or a text such as \"512MB\""}}}}}}},
      {"Schedule",
       {{"type", "object"},
        {"description", "when it runs: once (at) or again and again (cron); $clock in parameters is the time for which it runs"},
        {"additionalProperties", false},
        {"properties",
         {{"at", {{"type", "string"}, {"format", "date-time"}}},
          {"cron", {{"type", "string"}, {"description", "minute, hour, day of month, month, day of week; or @hourly, @daily, …"}}},
          {"timezone", {{"type", "string"}, {"description", "of the IANA database; UTC when missing"}}},
          {"misfire", {{"type", "string"}, {"enum", json::array{"once", "skip"}}, {"description", "times that were missed: one run for the last of them, or none"}}}}}}},
      {"SubscriptionName", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]{1,128}$|^webhook\\.[0-9a-f]{32}$"}}},
      {"EventFilter", event_filter_schema()},
      {"Subscription", subscription_schema()},
      {"Problem",
       {{"type", "object"},
        {"required", json::array{"result", "type", "title", "status", "detail"}},
        {"properties",
         {{"result", text_schema()},
          {"type", text_schema()},
          {"title", text_schema()},
          {"status", {{"type", "integer"}}},
          {"detail", text_schema()},
          {"instance", text_schema()},
          {"errors", {{"type", "array"}, {"items", {{"type", "object"}}}}}}}}}};
}

}  // namespace

json::object openapi_document(const http::Router& router) {
  auto described = operations();
  json::object paths;
  for (const auto& route : router.routes()) {
    auto at = described.find(route.operation_id);
    if (at == described.end()) throw std::logic_error("no description of operation " + route.operation_id);
    if (!paths.contains(route.pattern)) paths[route.pattern] = json::object{};
    std::string verb;
    for (char c : route.method) verb += static_cast<char>(c - 'A' + 'a');
    paths[route.pattern].as_object()[verb] = operation_object(route, at->second);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Learning Orchestra"}, {"version", ORCHESTRA_VERSION}}},
          {"paths", std::move(paths)},
          {"webhooks", webhook_calls()},
          {"components", {{"schemas", schemas()}}}};
}

}  // namespace lo::api
