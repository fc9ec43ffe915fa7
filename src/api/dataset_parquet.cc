// dataset/parquet {datasetName, datasetURI | url}, or an upload: a table from a Parquet file, with its own types.
#include "api/service.h"

namespace lo::api {
namespace {

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  json::object request;
  auto name = fields.name("datasetName");
  request["datasetName"] = name;
  read_file_source(fields, request, context);
  auto labels = fields.optional_object("labels");
  LO_TRY(fields.finish());
  copy_policy(body, request);
  Draft draft;
  draft.steps.push_back({.name = name, .service = "dataset/parquet", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"datasetName", "datasetURI"}},
          {"properties",
           {{"datasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"datasetURI", {{"type", "string"}, {"minLength", 1}, {"description", "http, https, s3 or hdfs URL of a Parquet file"}}}}}};
}

}  // namespace

Service dataset_parquet_service() {
  return {.path = "dataset/parquet",
          .name_key = "datasetName",
          .has_patch = true,
          .shown = Shown::rows,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "A table from a Parquet file",
          .upload = UploadForm{.content_types = {"application/vnd.apache.parquet", "application/octet-stream"},
                               .texts = {"datasetName"},
                               .values = {},
                               .sources = {{"datasetURI"}, {"url"}}}};
}

}  // namespace lo::api
