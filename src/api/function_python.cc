// function/python {name, description?, function, functionParameters?, checkpoint?, nullable?}
#include "api/mentions.h"
#include "api/service.h"

namespace lo::api {
namespace {

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  auto name = fields.name("name");
  auto description = fields.optional_text("description");
  auto function = read_code(fields, "function", context);
  auto parameters = fields.optional_object("functionParameters");
  auto checkpoint = fields.optional_flag("checkpoint");
  auto nullable = fields.optional_flag("nullable");
  auto labels = fields.optional_object("labels");
  auto mentions = find_mentions(parameters, "/functionParameters");
  if (!mentions) fields.refuse(mentions.error());
  LO_TRY(fields.finish());
  json::object request{{"name", name}, {"function", function}, {"functionParameters", std::move(parameters)}};
  if (description) request["description"] = *description;
  if (checkpoint) request["checkpoint"] = true;
  if (nullable) request["nullable"] = true;
  copy_policy(body, request);
  Draft draft{.steps = {}, .mentions = std::move(*mentions)};
  draft.steps.push_back(
      {.name = name, .service = "function/python", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"name", "function"}},
          {"properties",
           {{"name", {{"$ref", "#/components/schemas/Name"}}},
            {"description", {{"type", "string"}}},
            {"function", {{"type", "string"}, {"minLength", 1}, {"description", "Python code, or the URL of it"}}},
            {"functionParameters", {{"type", "object"}, {"description", "globals of the code; \"$name\" is a stored result"}}},
            {"checkpoint",
             {{"type", "boolean"},
              {"description", "the code finds a folder that outlives attempts in the environment variable ORCHESTRA_CHECKPOINT"}}},
            {"nullable", nullable_schema()}}}};
}

}  // namespace

Service function_python_service() {
  return {.path = "function/python",
          .name_key = "name",
          .has_patch = true,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "Python code that sets `response`"};
}

}  // namespace lo::api
