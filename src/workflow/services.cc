#include "workflow/services.h"

#include <algorithm>
#include <fmt/format.h>

namespace lo::workflow {
namespace {

// What every step may have.
constexpr std::string_view kCommon[] = {"environment", "schedule", "autoUpdate", "cache", "isolation", "labels", "resources", "retry", "timeout"};
constexpr std::string_view kBytes = "application/octet-stream";

// The services of a tool but model: both forms of a body, of which the server tells what is missing.
Service call_service(std::string_view service, std::string_view tool) {
  return {.name = fmt::format("{}/{}", service, tool),
          .name_key = "name",
          .required = {},
          .optional = {"description", "modulePath", "class", "classParameters", "method", "methodParameters", "parentName", "modelName",
                       "checkpoint", "figure", "hue", "nullable"},
          .references = {"parentName", "modelName"},
          .parameters = {"classParameters", "methodParameters"},
          .code = "",
          .defaults = {}};
}

Service model_service(std::string_view tool) {
  return {.name = fmt::format("model/{}", tool),
          .name_key = "modelName",
          .required = {},
          .optional = {"description", "modulePath", "class", "classParameters", "modelURI", "format", "nullable"},
          .references = {},
          .parameters = {"classParameters"},
          .code = "",
          .defaults = {},
          .file = "modelURI",
          .file_type = kBytes};
}

std::vector<Service> fixed_services() {
  return {
      {.name = std::string(kDatasetCsv),
       .name_key = "datasetName",
       .required = {"datasetURI"},
       .optional = {"types", "delimiter", "encoding", "headers"},
       .references = {},
       .parameters = {},
       .code = "",
       .defaults = {{"types", "string"}},
       .file = "datasetURI",
       .file_type = "text/csv"},
      {.name = "dataset/json",
       .name_key = "datasetName",
       .required = {"datasetURI"},
       .optional = {"types", "encoding"},
       .references = {},
       .parameters = {},
       .code = "",
       .defaults = {},
       .file = "datasetURI",
       .file_type = "application/x-ndjson"},
      {.name = "dataset/parquet",
       .name_key = "datasetName",
       .required = {"datasetURI"},
       .optional = {},
       .references = {},
       .parameters = {},
       .code = "",
       .defaults = {},
       .file = "datasetURI",
       .file_type = kBytes},
      {.name = "dataset/sql",
       .name_key = "datasetName",
       .required = {"connection", "query"},
       .optional = {},
       .references = {},
       .parameters = {},
       .code = "",
       .defaults = {}},
      {.name = "dataset/generic",
       .name_key = "datasetName",
       .required = {"datasetURI"},
       .optional = {"description"},
       .references = {},
       .parameters = {},
       .code = "",
       .defaults = {},
       .file = "datasetURI",
       .file_type = kBytes},
      {.name = "transform/projection",
       .name_key = "outputDatasetName",
       .required = {"inputDatasetName", "names"},
       .optional = {},
       .references = {"inputDatasetName"},
       .parameters = {},
       .code = "",
       .defaults = {}},
      {.name = "explore/histogram",
       .name_key = "outputDatasetName",
       .required = {"inputDatasetName", "names"},
       .optional = {"bins"},
       .references = {"inputDatasetName"},
       .parameters = {},
       .code = "",
       .defaults = {}},
      {.name = std::string(kDataType),
       .name_key = "",
       .required = {"inputDatasetName", "types"},
       .optional = {},
       .references = {"inputDatasetName"},
       .parameters = {},
       .code = "",
       .defaults = {}},
      {.name = "function/python",
       .name_key = "name",
       .required = {"function"},
       .optional = {"description", "functionParameters", "checkpoint", "nullable"},
       .references = {},
       .parameters = {"functionParameters"},
       .code = "function",
       .defaults = {{"description", ""}, {"functionParameters", json::object()}}},
      {.name = std::string(kBuilder),
       .name_key = "testDatasetName",  // or `name`, where it is given
       .required = {"trainDatasetName", "modelingCode", "classifiersList"},
       .optional = {"name"},
       .references = {"trainDatasetName", "testDatasetName"},
       .parameters = {},
       .code = "modelingCode",
       .defaults = {}},
      {.name = std::string(kEnvironment),
       .name_key = "name",
       .required = {"requirements"},
       .optional = {"description", "indexURL"},
       .references = {},
       .parameters = {"requirements"},
       .code = "",
       .defaults = {}},
  };
}

}  // namespace

std::span<const Service> services() {
  static const std::vector<Service> all = [] {
    auto made = fixed_services();
    for (std::string_view tool : {"scikitlearn", "tensorflow"}) {
      made.push_back(model_service(tool));
      for (std::string_view service : {"tune", "train", "predict", "evaluate", "transform", "explore"})
        made.push_back(call_service(service, tool));
    }
    return made;
  }();
  return all;
}

const Service* find_service(std::string_view name) {
  auto found = std::ranges::find(services(), name, &Service::name);
  return found == services().end() ? nullptr : &*found;
}

std::vector<std::string_view> members_of(const Service& service) {
  std::vector<std::string_view> members{"service"};
  if (!service.name_key.empty()) members.push_back(service.name_key);
  members.insert(members.end(), service.required.begin(), service.required.end());
  members.insert(members.end(), service.optional.begin(), service.optional.end());
  members.insert(members.end(), std::begin(kCommon), std::end(kCommon));
  return members;
}

}  // namespace lo::workflow
