#include "cli/services.h"

#include <algorithm>

namespace lo::cli {
namespace {

constexpr std::string_view kCommon[] = {"service", "retry", "timeout", "resources", "labels"};

}  // namespace

std::span<const Service> services() {
  static const std::vector<Service> all = {
      {.name = kDatasetCsv,
       .name_key = "datasetName",
       .required = {"datasetURI"},
       .optional = {"types", "delimiter", "encoding", "headers"},
       .references = {},
       .parameters = "",
       .code = "",
       .defaults = {{"types", "string"}}},
      {.name = "transform/projection",
       .name_key = "outputDatasetName",
       .required = {"inputDatasetName", "names"},
       .optional = {},
       .references = {"inputDatasetName"},
       .parameters = "",
       .code = "",
       .defaults = {}},
      {.name = kDataType,
       .name_key = "",
       .required = {"inputDatasetName", "types"},
       .optional = {},
       .references = {"inputDatasetName"},
       .parameters = "",
       .code = "",
       .defaults = {}},
      {.name = "function/python",
       .name_key = "name",
       .required = {"function"},
       .optional = {"description", "functionParameters"},
       .references = {},
       .parameters = "functionParameters",
       .code = "function",
       .defaults = {{"description", ""}, {"functionParameters", json::object()}}},
      {.name = kBuilder,
       .name_key = "testDatasetName",  // or `name`, where it is given
       .required = {"trainDatasetName", "modelingCode", "classifiersList"},
       .optional = {"name"},
       .references = {"trainDatasetName", "testDatasetName"},
       .parameters = "",
       .code = "modelingCode",
       .defaults = {}},
  };
  return all;
}

const Service* find_service(std::string_view name) {
  auto found = std::ranges::find(services(), name, &Service::name);
  return found == services().end() ? nullptr : &*found;
}

std::vector<std::string_view> members_of(const Service& service) {
  std::vector<std::string_view> members(std::begin(kCommon), std::end(kCommon));
  if (!service.name_key.empty()) members.push_back(service.name_key);
  members.insert(members.end(), service.required.begin(), service.required.end());
  members.insert(members.end(), service.optional.begin(), service.optional.end());
  return members;
}

}  // namespace lo::cli
