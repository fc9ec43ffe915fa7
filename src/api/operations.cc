#include "api/operations.h"

#include <fmt/format.h>

#include "api/housekeeping_schemas.h"
#include "api/observe_schemas.h"
#include "api/openapi_parts.h"
#include "api/profile_schema.h"
#include "api/service.h"
#include "api/workflow_schemas.h"
#include "dataset/row_stream.h"

namespace lo::api {
namespace {

json::object whole(std::int64_t most) {
  return {{"type", "integer"}, {"minimum", 0}, {"maximum", most}};
}

json::array page_parameters() {
  return {parameter("limit", "query", whole(9007199254740991), "how many; at most 1000 are given"),
          parameter("skip", "query", whole(9007199254740991), "how many to leave out first")};
}

json::object flag_parameter(std::string_view name, std::string_view description) {
  return parameter(name, "query", {{"type", "string"}, {"enum", json::array{"true", "false"}}}, description);
}

json::array document_parameters() {
  auto out = page_parameters();
  out.push_back(parameter("query", "query", text_schema(), "a filter in MongoDB's words, as JSON"));
  out.push_back(parameter("fields", "query", text_schema(), "of rows: the fields to show besides _id, parted by commas"));
  out.push_back(parameter("sort", "query", text_schema(), "of rows: the field to order by, with - before it for the greatest first"));
  out.push_back(flag_parameter("count", "of rows: how many match, as the member count"));
  out.push_back(parameter("revision", "query", whole(2147483647), "an old revision"));
  return out;
}

// A page as JSON; all rows in the others, by Accept.
std::vector<std::string> row_types() {
  std::vector<std::string> types{"application/json"};
  for (auto format : {dataset::RowFormat::ndjson, dataset::RowFormat::csv, dataset::RowFormat::arrow}) types.emplace_back(dataset::media_type(format));
  return types;
}

json::object time_parameter(std::string_view name, std::string_view description) {
  auto out = parameter(name, "query", {{"type", "string"}, {"format", "date-time"}}, description);
  out["required"] = true;
  return out;
}

json::object upload_content(const Service& service) {
  json::object out;
  if (!service.upload) return out;
  for (const auto& type : service.upload->content_types)
    out[type] = json::object{{"schema", {{"type", "string"}, {"contentEncoding", "binary"}}}};
  return out;
}

json::array upload_parameters(const Service& service) {
  json::array out;
  if (!service.upload) return out;
  for (const auto& name : service.upload->texts)
    out.push_back(parameter(name, "query", name == service.name_key ? ref("Name") : text_schema(), "of an upload"));
  for (const auto& name : service.upload->values) out.push_back(parameter(name, "query", text_schema(), "of an upload, as JSON"));
  out.push_back(parameter("labels", "query", text_schema(), "of an upload: an object as JSON"));
  return out;
}

// The members of a body, none of them required: what PATCH takes.
json::object changed_part(json::object schema) {
  schema.erase("required");
  return schema;
}

json::object with_policy(json::object schema) {
  auto& properties = schema["properties"].as_object();
  properties["retry"] = ref("Retry");
  properties["timeout"] = json::object{{"type", "number"}, {"description", "seconds that an attempt may take"}};
  properties["resources"] = ref("Resources");
  properties["schedule"] = ref("Schedule");
  properties["isolation"] = json::object{{"type", "string"}, {"enum", json::array{"process", "shared"}}, {"description", "shared: in a warm process that steps of the same owner and environment use one after the other"}};
  properties["cache"] = json::object{{"type", "string"}, {"enum", json::array{"off", "use"}}, {"description", "use: the result of a revision that depends on the very same things, if there is one"}};
  properties["autoUpdate"] = json::object{{"type", "boolean"}, {"description", "made again whenever what it was made from came out otherwise"}};
  properties["labels"] = json::object{{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
  schema["additionalProperties"] = false;
  return schema;
}

void describe_service(const Service& service, std::map<std::string, Operation>& out) {
  auto schema = with_policy(service.schema);
  out["list " + service.path] = {.summary = "All of them, oldest first", .parameters = page_parameters(), .body = {}, .problems = {406}, .tagged = true};
  out["get " + service.path] = {.summary = "Metadata and documents",
                                .parameters = document_parameters(),
                                .body = {},
                                .answers = {200},
                                .problems = {400, 404, 406},
                                .answer_types = service.shown == Shown::rows ? row_types() : std::vector<std::string>{"application/json"},
                                .tagged = true};
  if (service.shown == Shown::picture)
    out["show " + service.path] = {.summary = "The picture",
                                   .parameters = {parameter("revision", "query", whole(2147483647), "an old revision")},
                                   .body = {},
                                   .problems = {404, 406},
                                   .answer_types = {"image/png"},
                                   .tagged = true};
  out["profile " + service.path] = profile_operation();
  out["delete " + service.path] = {.summary = "Delete, and free the name",
                                   .parameters = {flag_parameter("cascade", "also what was made from it")},
                                   .body = {},
                                   .problems = {404, 409},
                                   .on_condition = true};
  out["create " + service.path] = {.summary = service.summary,
                                   .parameters = upload_parameters(service),
                                   .body = schema,
                                   .content = upload_content(service),
                                   .answers = {201},
                                   .problems = {400, 406, 409, 413, 415},
                                   .once = true,
                                   .waits = true};
  auto change_parameters = upload_parameters(service);
  change_parameters.push_back(flag_parameter("cascade", "also run what was made from it again, in order"));
  out["change " + service.path] = {.summary = "Change the request and run it again",
                                   .parameters = std::move(change_parameters),
                                   .body = changed_part(schema),
                                   .content = upload_content(service),
                                   .answers = {201},
                                   .problems = {400, 404, 406, 409, 413, 415},
                                   .once = true,
                                   .waits = true,
                                   .on_condition = true};
}

void describe_data_type(std::map<std::string, Operation>& out) {
  auto schema = with_policy(data_type_schema());
  for (auto key : {"schedule", "autoUpdate"}) schema["properties"].as_object().erase(key);
  out["change types"] = {.summary = "Give fields of a dataset another type, in place",
                         .parameters = {},
                         .body = std::move(schema),
                         .problems = {400, 404, 406, 409, 413, 415},
                         .once = true,
                         .waits = true,
                         .on_condition = true};
  out["list transform/dataType"] = {.summary = "Datasets that were typed", .parameters = page_parameters(), .body = {}, .problems = {406}, .tagged = true};
  out["get transform/dataType"] = {.summary = "Metadata and rows",
                                   .parameters = document_parameters(),
                                   .body = {},
                                   .problems = {400, 404, 406},
                                   .answer_types = row_types(),
                                   .tagged = true};
  out["profile transform/dataType"] = profile_operation();
  out["delete transform/dataType"] = {.summary = "Delete the dataset",
                                      .parameters = {flag_parameter("cascade", "also what was made from it")},
                                      .body = {},
                                      .problems = {404, 409},
                                      .on_condition = true};
}

void describe_steps(std::map<std::string, Operation>& out) {
  auto filters = page_parameters();
  filters.push_back(parameter("type", "query", text_schema(), "service/tool"));
  filters.push_back(parameter("status", "query", ref("Status"), "of the newest revision"));
  filters.push_back(parameter("label", "query", text_schema(), "key=value"));
  filters.push_back(flag_parameter("stale", "only those that are, or are not, stale"));
  out["list steps"] = {.summary = "Steps of all services", .parameters = filters, .body = {}, .problems = {406}, .tagged = true};
  out["get step"] = {.summary = "Everything known of a step", .parameters = {}, .body = {}, .problems = {404}, .tagged = true};
  out["get lineage"] = {.summary = "What it was made from and what was made from it",
                        .parameters = {parameter("direction", "query", {{"type", "string"}, {"enum", json::array{"up", "down", "both"}}}, "both when missing")},
                        .body = {},
                        .problems = {404, 406},
                        .tagged = true};
  out["get log"] = {.summary = "What it printed",
                    .parameters = {flag_parameter("follow", "as server-sent events while it runs"),
                                   parameter("revision", "query", whole(2147483647), "an old revision"),
                                   parameter("attempt", "query", whole(2147483647), "an old attempt")},
                    .body = {},
                    .problems = {404, 406},
                    .answer_types = {"text/plain", "text/event-stream"},
                    .tagged = true};
  out["get artifact"] = {.summary = "Its result as a file",
                         .parameters = {parameter("format", "query", text_schema(), "joblib, skops, keras, npy, json, csv, parquet, arrow, zip"),
                                        parameter("revision", "query", whole(2147483647), "an old revision")},
                         .body = {},
                         .problems = {404, 406},
                         .answer_types = {"application/octet-stream", "application/vnd.apache.parquet", "application/vnd.apache.arrow.file", "text/csv",
                                          "application/json", "application/zip", "image/png"},
                         .tagged = true};
  out["cancel step"] = {.summary = "End it", .parameters = {}, .body = {}, .problems = {404, 409}, .on_condition = true};
  out["rerun step"] = {
      .summary = "Run the same request again", .parameters = {flag_parameter("cascade", "also what was made from it, in order")}, .body = {}, .answers = {201}, .problems = {404, 406, 409},
      .once = true, .waits = true, .on_condition = true};
}

void describe_observe(std::map<std::string, Operation>& out) {
  out["subscribe"] = {.summary = "Observe a step, or have events sent to a webhook",
                      .parameters = {},
                      .body = subscribe_schema(),
                      .answers = {201},
                      .problems = {400, 406, 409, 413, 415, 429},
                      .answer = subscribed_schema(),
                      .once = true,
                      .waits = true};
  out["list subscriptions"] = {.summary = "What is observed, and the state of each webhook",
                               .parameters = {},
                               .body = {},
                               .answer = subscriptions_schema(),
                               .tagged = true};
  out["observe step"] = {.summary = "Wait for the end of a step, or for its next event; or show a webhook",
                         .parameters = {parameter("wait", "query", whole(9007199254740991), "seconds; at most 300 are waited"),
                                        parameter("after", "query", whole(9007199254740991), "id of the last event seen")},
                         .body = {},
                         .problems = {404, 406},
                         .subject = "SubscriptionName",
                         .waits = true,
                         .tagged = true};
  out["unsubscribe"] = {.summary = "Observe it no more", .parameters = {}, .body = {}, .problems = {404}, .subject = "SubscriptionName"};
  out["stream events"] = {.summary = "All events as server-sent events",
                          .parameters = {parameter("name", "query", text_schema(), "of a step"),
                                         parameter("type", "query", text_schema(), "service/tool"),
                                         parameter("label", "query", text_schema(), "key=value"),
                                         parameter("Last-Event-ID", "header", text_schema(), "go on after this event")},
                          .body = {},
                          .problems = {406},
                          .answer_types = {"text/event-stream"}};
}

void describe_workflows(std::map<std::string, Operation>& out) {
  json::object yaml{{"schema", workflow_schema()}};
  out["post workflow"] = {
      .summary = "Bring the steps to what a document says: equal ones are reused, changed ones patched, stale ones run again, new ones created",
      .parameters = {flag_parameter("prune", "delete the steps that the workflow had and has no more")},
      .body = workflow_schema(),
      .content = {{"application/yaml", yaml}, {"text/yaml", yaml}, {"application/x-yaml", yaml}},
      .answers = {200, 201},
      .problems = {400, 406, 409, 413, 415},
      .answer = workflow_posted_schema(),
      .once = true,
      .waits = true};
  out["list workflows"] = {.summary = "All of them, oldest first", .parameters = page_parameters(), .body = {}, .problems = {406}, .answer = workflows_schema(), .tagged = true};
  out["get workflow"] = {.summary = "Its steps, and how far they are", .parameters = {}, .body = {}, .problems = {404}, .answer = workflow_shown_schema(), .tagged = true};
  out["export workflow"] = {.summary = "A document that recreates it as its steps are now",
                            .parameters = {parameter("format", "query", {{"type", "string"}, {"enum", json::array{"yaml", "json"}}}, "yaml when missing, or as Accept says")},
                            .body = {},
                            .problems = {404, 406},
                            .answer_types = {"application/yaml", "application/json"},
                            .answer = workflow_schema(),
                            .tagged = true};
  out["list workflow times"] = {.summary = "The times of its cron schedule, and whether every step has a finished result of each",
                                .parameters = {time_parameter("from", "of this time on"), time_parameter("to", "before this one")},
                                .body = {},
                                .problems = {404, 406},
                                .answer = workflow_times_schema()};
  out["rerun workflow"] = {.summary = "Make all of its steps, but environments, anew for a time that is over",
                           .parameters = {},
                           .body = workflow_rerun_schema(),
                           .answers = {201},
                           .problems = {400, 404, 406, 409, 413, 415},
                           .answer = workflow_rerun_answer_schema(),
                           .once = true,
                           .waits = true};
  out["delete workflow"] = {.summary = "Forget it; its steps stay",
                            .parameters = {flag_parameter("cascade", "also delete its steps, but those that others use")},
                            .body = {},
                            .problems = {404},
                            .answer = workflow_deleted_schema()};
}

void describe_housekeeping(std::map<std::string, Operation>& out) {
  out["collect garbage"] = {.summary = "Remove superseded revisions, logs and events that the server's options do not keep",
                            .parameters = {flag_parameter("dryRun", "only tell what would go")},
                            .body = {},
                            .answer = swept_schema()};
  out["usage"] = {.summary = "What the steps took, by the values of a label",
                  .parameters = {parameter("label", "query", text_schema(), "its key; owner when missing")},
                  .body = {},
                  .answer = usage_schema(),
                  .tagged = true};
}

void describe_system(std::map<std::string, Operation>& out) {
  out["health"] = {.summary = "The process lives", .parameters = {}, .body = {}};
  out["ready"] = {.summary = "Whether steps are accepted, and what state each runner is in",
                  .parameters = {},
                  .body = {},
                  .answers = {200, 503}};
  out["metrics"] = {.summary = "Numbers for Prometheus", .parameters = {}, .body = {}, .answer_types = {"text/plain"}};
  out["openapi"] = {.summary = "This document", .parameters = {}, .body = {}, .tagged = true};
}

}  // namespace

std::map<std::string, Operation> operations() {
  std::map<std::string, Operation> out;
  for (const auto& service : services()) describe_service(service, out);
  describe_data_type(out);
  describe_steps(out);
  describe_workflows(out);
  describe_observe(out);
  describe_housekeeping(out);
  describe_system(out);
  return out;
}

}  // namespace lo::api
