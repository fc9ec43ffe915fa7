// dataset/csv {datasetName, datasetURI | url, types?, delimiter?, encoding?, headers?}; an upload has {upload: {digest, bytes}} instead of
// a URL in its stored request.
#include "api/service.h"
#include "dataset/csv_options.h"

namespace lo::api {
namespace {

constexpr std::string_view kOptions[] = {"types", "delimiter", "encoding", "headers"};

void read_options(const json::object& body, Fields& fields, json::object& request) {
  if (auto options = dataset::parse_csv_options(body); !options) fields.refuse(options.error());
  for (auto key : kOptions) {
    fields.accept(key);
    if (fields.has(key)) request[key] = body.at(key);
  }
}

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  json::object request;
  auto name = fields.name("datasetName");
  request["datasetName"] = name;
  read_file_source(fields, request, context);
  read_options(body, fields, request);
  auto labels = fields.optional_object("labels");
  LO_TRY(fields.finish());
  copy_policy(body, request);
  Draft draft;
  draft.steps.push_back({.name = name, .service = "dataset/csv", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"datasetName", "datasetURI"}},
          {"properties",
           {{"datasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"datasetURI", {{"type", "string"}, {"minLength", 1}, {"description", "http, https, s3 or hdfs URL of a CSV file, plain or packed with gzip, zstd or zip"}}},
            {"types",
             {{"description", "\"string\" (default), \"infer\", or a type per field"},
              {"oneOf", json::array{json::object{{"type", "string"}, {"enum", json::array{"string", "infer"}}},
                                    json::object{{"type", "object"}, {"additionalProperties", {{"type", "string"}}}}}}}},
            {"delimiter", {{"type", "string"}, {"minLength", 1}, {"maxLength", 1}, {"description", "guessed when missing: , ; tab or |"}}},
            {"encoding", {{"type", "string"}, {"description", "guessed when missing: utf-8, utf-16, cp1252 or latin-1"}}},
            {"headers", {{"type", "array"}, {"items", {{"type", "string"}}}}}}}};
}

}  // namespace

Service dataset_csv_service() {
  return {.path = "dataset/csv",
          .name_key = "datasetName",
          .has_patch = true,
          .shown = Shown::rows,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "A table from a CSV file",
          .upload = UploadForm{.content_types = {"text/csv", "application/octet-stream", "application/gzip", "application/zstd", "application/zip"},
                               .texts = {"datasetName", "delimiter", "encoding"},
                               .values = {"types", "headers"},
                               .sources = {{"datasetURI"}, {"url"}}}};
}

}  // namespace lo::api
