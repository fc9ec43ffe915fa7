// dataset/json {datasetName, datasetURI | url, types?, encoding?}, or an upload: a table from NDJSON, or from one array of objects.
#include "api/service.h"
#include "dataset/json_open.h"

namespace lo::api {
namespace {

void read_options(const json::object& body, Fields& fields, json::object& request) {
  if (auto options = dataset::parse_json_options(body); !options) fields.refuse(options.error());
  for (auto key : {"types", "encoding"}) {
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
  draft.steps.push_back({.name = name, .service = "dataset/json", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"datasetName", "datasetURI"}},
          {"properties",
           {{"datasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"datasetURI",
             {{"type", "string"},
              {"minLength", 1},
              {"description", "http, https, s3 or hdfs URL of a file with one JSON object a line, or one array of objects; plain or packed with gzip, zstd or zip"}}},
            {"types",
             {{"type", "object"},
              {"additionalProperties", {{"type", "string"}}},
              {"description", "types of fields that are not those of their values"}}},
            {"encoding", {{"type", "string"}, {"description", "utf-8 or, where the bytes say so, utf-16 when missing"}}}}}};
}

}  // namespace

Service dataset_json_service() {
  return {.path = "dataset/json",
          .name_key = "datasetName",
          .has_patch = true,
          .shown = Shown::rows,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "A table from a file of JSON objects",
          .upload = UploadForm{.content_types = {"application/x-ndjson", "application/jsonl", "application/octet-stream", "application/gzip", "application/zstd",
                                                 "application/zip"},
                               .texts = {"datasetName", "encoding"},
                               .values = {"types"},
                               .sources = {{"datasetURI"}, {"url"}},
                               .takes_json = true}};
}

}  // namespace lo::api
