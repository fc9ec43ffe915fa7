// dataset/generic {datasetName, datasetURI | url}, or an upload: any file, kept as it came.
#include "api/service.h"

namespace lo::api {
namespace {

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  json::object request;
  auto name = fields.name("datasetName");
  request["datasetName"] = name;
  read_file_source(fields, request, context);
  if (auto description = fields.optional_text("description")) request["description"] = *description;
  auto labels = fields.optional_object("labels");
  LO_TRY(fields.finish());
  copy_policy(body, request);
  Draft draft;
  draft.steps.push_back(
      {.name = name, .service = "dataset/generic", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"datasetName", "datasetURI"}},
          {"properties",
           {{"datasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"datasetURI", {{"type", "string"}, {"minLength", 1}, {"description", "http, https, s3 or hdfs URL of a file"}}},
            {"description", {{"type", "string"}}}}}};
}

}  // namespace

Service dataset_generic_service() {
  return {.path = "dataset/generic",
          .name_key = "datasetName",
          .has_patch = true,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "A file as it is, which steps get opened for reading",
          .upload = UploadForm{.content_types = {"application/octet-stream"},
                               .texts = {"datasetName", "description"},
                               .values = {},
                               .sources = {{"datasetURI"}, {"url"}}}};
}

}  // namespace lo::api
