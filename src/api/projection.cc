// transform/projection {inputDatasetName, outputDatasetName, names}
#include "api/service.h"
#include "dataset/project.h"

namespace lo::api {
namespace {

Result<Draft> read(const json::object& body, const Context&) {
  Fields fields(body);
  auto input = fields.text("inputDatasetName");
  auto output = fields.name("outputDatasetName");
  auto names = fields.texts("names");
  auto labels = fields.optional_object("labels");
  LO_TRY(fields.finish());
  json::object request{
      {"inputDatasetName", input}, {"outputDatasetName", output}, {"names", json::value_from(names)}};
  copy_policy(body, request);
  Draft draft;
  draft.mentions.push_back({.text = input, .pointer = "/inputDatasetName"});
  draft.steps.push_back(
      {.name = output, .service = "transform/projection", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

Status check(Draft& draft, const Context& context) {
  LO_ASSIGN(auto input, finished_table(context, draft.mentions.front()));
  if (!input) return {};
  auto names = json::value_to<std::vector<std::string>>(draft.steps.front().request.at("names"));
  return dataset::check_projection(names, input->fields);
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"inputDatasetName", "outputDatasetName", "names"}},
          {"properties",
           {{"inputDatasetName", {{"$ref", "#/components/schemas/Reference"}}},
            {"outputDatasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"names", {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "string"}}}}}}}};
}

}  // namespace

Service projection_service() {
  return {.path = "transform/projection",
          .name_key = "datasetName",
          .has_patch = true,
          .shown = Shown::rows,
          .read = read,
          .check = check,
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "Some fields of a table as a table of its own"};
}

}  // namespace lo::api
