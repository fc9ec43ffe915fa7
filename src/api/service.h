// A service of the API as data: what a body may hold and what step it makes. The routes of all services are made from these by
// service_routes.cc; the OpenAPI document too.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/context.h"
#include "engine/conductor.h"

namespace lo::api {

// What a body asks for, checked as far as it can be without looking at other steps.
struct Draft {
  std::vector<engine::NewStep> steps;  // usually one; the builder makes one per classifier
  std::vector<engine::Mention> mentions;
};

struct Service {
  std::string path;      // "transform/projection"
  std::string name_key;  // how its metadata calls the name: "datasetName" or "name"
  bool has_patch = false;
  bool rows = false;     // its documents are the rows of its result; otherwise one per attempt

  // A whole body → its draft. Pure. Code::unacceptable with every wrong member.
  std::function<Result<Draft>(const json::object& body, const Context&)> read;

  // What can be checked against parents that have finished: fields, kinds. Blocks (catalog reads): on the pool. May be empty.
  std::function<Status(const Draft&, const Context&)> check;

  // The body that PATCH starts from: the stored request of one step.
  std::function<json::object(const std::string& name, const json::object& request)> body_of;

  json::object schema;   // JSON Schema of the body, for the OpenAPI document
  std::string summary;
};

Service dataset_csv_service();
Service projection_service();
Service function_python_service();
Service builder_sparkml_service();

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

// The result of the newest revision of `reference` ("name" or "name@2") if that has finished already. Blocks.
Result<std::optional<store::Manifest>> finished_result(const Context& context, const std::string& reference);

// Copies the members that every request may have (labels aside) and that are not null.
void copy_policy(const json::object& body, json::object& request);

}  // namespace lo::api
