#include "api/observe_schemas.h"

#include <fmt/format.h>

namespace lo::api {
namespace {

constexpr std::string_view kSecretPattern = "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$";

json::object text_schema() { return {{"type", "string"}}; }

json::object ref(std::string_view name) { return {{"$ref", fmt::format("#/components/schemas/{}", name)}}; }

json::object event_schema() {
  return {{"type", "string"},
          {"enum", json::array{"accepted", "waiting", "scheduled", "queued", "running", "progress", "finished", "failed",
                               "cancelled", "deleted"}}};
}

}  // namespace

json::object subscribe_schema() {
  json::object properties{
      {"name", ref("Name")},
      {"webhook",
       {{"type", "string"}, {"description", "http or https URL that events are sent to, by www.standardwebhooks.com"}}},
      {"filter", ref("EventFilter")},
      {"secret",
       {{"type", "string"}, {"pattern", kSecretPattern}, {"description", "of the signatures; made when it is missing"}}}};
  return {{"type", "object"},
          {"anyOf",
           json::array{json::object{{"required", json::array{"name"}}}, json::object{{"required", json::array{"webhook"}}}}},
          {"properties", std::move(properties)},
          {"additionalProperties", false}};
}

json::object subscribed_schema() {
  return {{"type", "object"},
          {"required", json::array{"result"}},
          {"properties",
           {{"result", {{"type", "string"}, {"description", "URL of the subscription"}}},
            {"secret", {{"type", "string"}, {"description", "of a webhook; never shown again"}}}}}};
}

json::object subscriptions_schema() {
  return {{"type", "object"},
          {"required", json::array{"result"}},
          {"properties", {{"result", {{"type", "array"}, {"items", ref("Subscription")}}}}}};
}

json::object event_filter_schema() {
  return {{"type", "object"},
          {"additionalProperties", false},
          {"properties",
           {{"type", {{"type", "string"}, {"description", "service/tool"}}},
            {"label", {{"type", "string"}, {"description", "key=value, or key for any value"}}},
            {"event", event_schema()},
            {"events", {{"type", "array"}, {"minItems", 1}, {"items", event_schema()}}}}}};
}

json::object subscription_schema() {
  return {{"type", "object"},
          {"required", json::array{"name", "created"}},
          {"properties",
           {{"name", ref("SubscriptionName")},
            {"created", text_schema()},
            {"metadata", {{"type", "object"}, {"description", "of the step"}}},
            {"url", {{"type", "string"}, {"description", "of a webhook's subscription"}}},
            {"webhook", {{"type", "string"}, {"description", "where it sends"}}},
            {"filter", {{"type", "object"}, {"description", "what it sends: name, type, label, events"}}},
            {"delivered", {{"type", "integer"}, {"description", "id of the last event that is done with"}}},
            {"state", {{"type", "string"}, {"enum", json::array{"active", "failing", "disabled"}}}},
            {"failures", {{"type", "integer"}, {"description", "tries of the next event"}}},
            {"error", {{"type", "string"}, {"description", "of the last of them"}}},
            {"nextTry", text_schema()},
            {"disabled", {{"type", "string"}, {"description", "why nothing is sent any more"}}}}}};
}

json::object webhook_calls() {
  json::object body{{"type", "object"},
                    {"required", json::array{"type", "timestamp", "data"}},
                    {"properties",
                     {{"type", {{"type", "string"}, {"description", "step.<event>, or reset where events are no longer kept"}}},
                      {"timestamp", {{"type", "string"}, {"format", "date-time"}}},
                      {"data", {{"type", "object"}, {"description", "the event as the stream has it"}}}}}};
  json::array headers;
  for (std::string_view name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    headers.push_back(json::object{{"name", name}, {"in", "header"}, {"required", true}, {"schema", text_schema()}});
  }
  json::object post{{"summary", "An event, signed, in order and at least once"},
                    {"parameters", std::move(headers)},
                    {"requestBody", {{"required", true}, {"content", {{"application/json", {{"schema", std::move(body)}}}}}}},
                    {"responses",
                     {{"2XX", {{"description", "Taken"}}},
                      {"410", {{"description", "Wants no more: the webhook is disabled"}}},
                      {"default", {{"description", "Tried again later"}}}}}};
  return {{"event", {{"post", std::move(post)}}}};
}

}  // namespace lo::api
