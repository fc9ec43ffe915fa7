// dataset/sql {datasetName, connection, query}: the rows of a query, of a database that the server knows by name.
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/service.h"
#include "dataset/shown.h"

namespace lo::api {
namespace {

constexpr std::size_t kMostQuery = std::size_t{1} << 20;  // bytes

void check_connection(Fields& fields, const std::string& name, const Context& context) {
  if (name.empty() || std::ranges::find(context.connections, name) != context.connections.end()) return;
  fields.refuse("connection", context.connections.empty()
                                  ? fmt::format("the server has no connection {}, nor any other: start it with --connections FILE or ORCHESTRA_CONNECTION_<NAME>",
                                                dataset::shown(name))
                                  : fmt::format("the server has no connection {}: it has {}", dataset::shown(name), fmt::join(context.connections, ", ")));
}

Result<Draft> read(const json::object& body, const Context& context) {
  Fields fields(body);
  json::object request;
  auto name = fields.name("datasetName");
  auto connection = fields.text("connection");
  auto query = fields.text("query");
  check_connection(fields, connection, context);
  if (query.size() > kMostQuery) fields.refuse("query", fmt::format("has {} bytes, and may have 1048576", query.size()));
  if (query.contains('\0')) fields.refuse("query", "holds a character U+0000");
  auto labels = fields.optional_object("labels");
  LO_TRY(fields.finish());
  request = {{"datasetName", name}, {"connection", connection}, {"query", query}};
  copy_policy(body, request);
  Draft draft;
  draft.steps.push_back({.name = name, .service = "dataset/sql", .request = std::move(request), .labels = std::move(labels)});
  return draft;
}

json::object schema() {
  return {{"type", "object"},
          {"required", json::array{"datasetName", "connection", "query"}},
          {"properties",
           {{"datasetName", {{"$ref", "#/components/schemas/Name"}}},
            {"connection", {{"type", "string"}, {"minLength", 1}, {"description", "name of a database that the server was started with"}}},
            {"query", {{"type", "string"}, {"minLength", 1}, {"description", "one SELECT, which changes nothing"}}}}}};
}

}  // namespace

Service dataset_sql_service() {
  return {.path = "dataset/sql",
          .name_key = "datasetName",
          .has_patch = true,
          .shown = Shown::rows,
          .read = read,
          .check = {},
          .body_of = [](const std::string&, const json::object& request) { return request; },
          .schema = schema(),
          .summary = "A table from a query of a database"};
}

}  // namespace lo::api
