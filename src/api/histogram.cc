// explore/histogram {inputDatasetName, outputDatasetName, names, bins?}
#include "dataset/histogram.h"

#include <fmt/format.h>

#include "api/service.h"
#include "dataset/project.h"

namespace lo::api {
namespace {

void read_bins(const json::object& body, Fields& fields, json::object& request) {
  fields.accept("bins");
  if (!fields.has("bins")) return;
  const auto* bins = body.at("bins").if_int64();
  if (bins == nullptr || *bins < 1 || *bins > dataset::kMostBins)
    return fields.refuse("bins", fmt::format("bins must be a whole number from 1 to {}, not {}", dataset::kMostBins,
                                             write_json(body.at("bins")).substr(0, 60)));
  request["bins"] = *bins;
}

Result<Draft> read(const json::object& body, const Context&) {
  Fields fields(body);
  auto input = fields.text("inputDatasetName");
  auto output = fields.name("outputDatasetName");
  auto names = fields.texts("names");
  auto labels = fields.optional_object("labels");
  json::object request{{"inputDatasetName", input}, {"outputDatasetName", output}, {"names", json::value_from(names)}};
  read_bins(body, fields, request);
  LO_TRY(fields.finish());
  copy_policy(body, request);
  Draft draft;
  draft.mentions.push_back({.text = input, .pointer = "/inputDatasetName"});
  draft.steps.push_back(
      {.name = output, .service = "explore/histogram", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

Status check(Draft& draft, const Context& context) {
  LO_ASSIGN(auto input, finished_table(context, draft.mentions.front()));
  if (!input) return {};
  return dataset::check_projection(json::value_to<std::vector<std::string>>(draft.steps.front().request.at("names")), input->fields);
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"inputDatasetName", "outputDatasetName", "names"}},
          {"properties",
           {{"inputDatasetName", {{"$ref", "#/components/schemas/Reference"}}},
            {"outputDatasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"names", {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "string"}}}}},
            {"bins",
             {{"type", "integer"},
              {"minimum", 1},
              {"maximum", dataset::kMostBins},
              {"description", "count numeric fields in so many ranges instead of value by value"}}}}}};
}

}  // namespace

Service histogram_service() {
  return {.path = "explore/histogram",
          .name_key = "name",
          .has_patch = true,
          .shown = Shown::documents,
          .read = read,
          .check = check,
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "How often each value of some fields occurs"};
}

}  // namespace lo::api
