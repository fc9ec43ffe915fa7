// A service of the API as data: what a body may hold and what step it makes. The routes of all services are made from these by
// service_routes.cc; the OpenAPI document too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/context.h"
#include "api/fields.h"
#include "engine/conductor.h"

namespace lo::api {

// What a body asks for, checked as far as it can be without looking at other steps.
struct Draft {
  std::vector<engine::NewStep> steps;  // usually one; the builder makes one per classifier
  std::vector<engine::Mention> mentions;
};

// How a service takes a file as the body of its POST and PATCH, instead of JSON. The stored request then has the member
// `upload: {digest, bytes}`, never given by a client.
struct UploadForm {
  std::vector<std::string> content_types;            // besides application/json
  std::vector<std::string> texts;                    // query parameters that are texts as they stand
  std::vector<std::string> values;                   // those that are JSON, or else a text
  std::vector<std::vector<std::string>> sources;     // members that say where the result comes from instead: one group at a time
  bool takes_json = false;                           // a body of application/json is the file where the query has the name
};

enum class Shown {
  attempts,  // one document per attempt
  rows,      // the rows of its result
  documents, // those that its result consists of
  picture,   // GET {name} is the picture itself, GET {name}/metadata the documents
};

struct Service {
  std::string path;      // "transform/projection"
  std::string name_key;  // how its metadata calls the name: "datasetName" or "name"
  bool has_patch = false;
  Shown shown = Shown::attempts;

  // A whole body → its draft. Pure. Code::unacceptable with every wrong member.
  std::function<Result<Draft>(const json::object& body, const Context&)> read;

  // What can be checked against other steps: fields and kinds of parents that have finished. May complete the draft with what those
  // say. Blocks (catalog reads): on the pool. May be empty.
  std::function<Status(Draft&, const Context&)> check;

  // The body that PATCH starts from: the stored request of one step.
  std::function<json::object(const std::string& name, const json::object& request)> body_of;

  json::object schema;   // JSON Schema of the body, for the OpenAPI document
  std::string summary;
  std::optional<UploadForm> upload = {};
};

Service dataset_csv_service();
Service dataset_generic_service();
Service dataset_json_service();
Service dataset_parquet_service();
Service dataset_sql_service();
Service projection_service();
Service histogram_service();
Service function_python_service();
Service builder_sparkml_service();
Service environment_service();
std::vector<Service> tool_services();  // {model, tune, train, predict, evaluate, transform, explore} × {scikitlearn, tensorflow}

// transform/dataType has no steps of its own: it makes new revisions of datasets.
struct DataTypeBody {
  std::string dataset;
  json::object request;  // {inputDatasetName, types}
};
Result<DataTypeBody> read_data_type(const json::object& body);
Status check_data_type(const DataTypeBody& body, const Context& context);
json::object data_type_schema();

// All of the above but dataType, by path.
const std::vector<Service>& services();
const Service* find_service(std::string_view path);

// What a reference ("name" or "name@2") is bound to when it is accepted now: the newest revision that has not failed or been cancelled, or
// the one it names. Nothing when there is none. Blocks.
Result<std::optional<catalog::Revision>> bound_revision(const Context& context, const std::string& reference);

// The result of the newest revision of `reference` ("name" or "name@2") if that has finished already. Blocks.
Result<std::optional<store::Manifest>> finished_result(const Context& context, const std::string& reference);

// The same of a reference that must be a table: Code::unacceptable at its pointer when it is none.
Result<std::optional<store::Manifest>> finished_table(const Context& context, const engine::Mention& mention);

// Members that several services have.
std::string read_code(Fields& fields, std::string_view key, const Context& context);  // code, or a URL of it that may be opened
std::string read_url(Fields& fields, std::string_view key, const Context& context);   // a URL that may be opened

// Where a dataset's file comes from: `upload`, put there by the upload handler and never by a client, or `datasetURI`, also `url`.
void read_file_source(Fields& fields, json::object& request, const Context& context);

// What the member `nullable` of services that run Python says, for their schema.
json::object nullable_schema();

// Copies the members that every request may have (labels aside) and that are not null.
void copy_policy(const json::object& body, json::object& request);

}  // namespace lo::api
