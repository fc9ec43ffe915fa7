// transform/dataType {inputDatasetName, types}: a new revision of a dataset, in place.
#include "api/fields.h"
#include "api/service.h"
#include "dataset/cast.h"

namespace lo::api {

Result<DataTypeBody> read_data_type(const json::object& body) {
  Fields fields(body);
  auto dataset = fields.name("inputDatasetName");
  auto types = fields.object("types");
  if (fields.has("types") && types.empty()) fields.refuse("types", "types names no field");
  if (auto parsed = dataset::parse_types(types); !parsed) fields.refuse(parsed.error());
  for (auto key : {"schedule", "autoUpdate"})
    if (fields.has(key)) fields.refuse(key, std::string(key) + " belongs to the step that makes the dataset: its types are given again whenever that runs");
  LO_TRY(fields.finish());
  json::object request{{"inputDatasetName", dataset}, {"types", std::move(types)}};
  copy_policy(body, request);
  return DataTypeBody{.dataset = std::move(dataset), .request = std::move(request)};
}

Status check_data_type(const DataTypeBody& body, const Context& context) {
  LO_ASSIGN(auto input, finished_result(context, body.dataset));
  if (!input) return {};
  if (!input->is_table())
    return fail_field(Code::unacceptable, "/inputDatasetName", "the result of \"" + body.dataset + "\" is not a table");
  LO_ASSIGN(auto types, dataset::parse_types(body.request.at("types").as_object()));
  return dataset::check_types(types, input->fields);
}

json::object data_type_schema() {
  return {{"type", "object"},
          {"required", json::array{"inputDatasetName", "types"}},
          {"properties",
           {{"inputDatasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"types",
             {{"type", "object"},
              {"minProperties", 1},
              {"additionalProperties",
               {{"type", "string"}, {"enum", json::array{"number", "string", "integer", "boolean", "timestamp"}}}}}}}}};
}

}  // namespace lo::api
