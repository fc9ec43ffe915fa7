#include "api/profile_schema.h"

#include "api/openapi_parts.h"

namespace lo::api {
namespace {

json::object described(json::object schema, std::string_view description) {
  schema["description"] = description;
  return schema;
}

json::object count_schema() { return {{"type", "integer"}, {"minimum", 0}}; }
json::object share_schema() { return {{"type", "number"}, {"minimum", 0}, {"maximum", 1}}; }
json::object value_schema() { return {{"type", json::array{"number", "string", "boolean", "null"}}}; }

json::object top_schema() {
  json::object item{{"type", "object"}, {"required", json::array{"value", "count"}}, {"properties", {{"value", value_schema()}, {"count", count_schema()}}}};
  return {{"type", "array"}, {"maxItems", 10}, {"items", std::move(item)}};
}

json::object field_schema() {
  json::object properties{
      {"name", text_schema()},
      {"type", text_schema()},
      {"count", described(count_schema(), "values that are not null")},
      {"nulls", described(count_schema(), "with NaN and infinities, which are null in JSON")},
      {"notFinite", described(count_schema(), "of the nulls: NaN and infinities")},
      {"distinct", described(count_schema(), "different values")},
      {"distinctError", described(share_schema(), "relative standard error of distinct; 0: exact")},
      {"min", value_schema()},
      {"max", value_schema()},
      {"mean", value_schema()},
      {"standardDeviation", described({{"type", json::array{"number", "null"}}}, "of a sample")},
      {"quantiles", described({{"type", "object"}, {"additionalProperties", value_schema()}}, "share → the least value that this share of the values is not above")},
      {"quantileError", described(share_schema(), "by how much the share may be another at most; 0: exact")},
      {"shortest", described({{"type", json::array{"integer", "null"}}}, "in characters")},
      {"longest", described({{"type", json::array{"integer", "null"}}}, "in characters")},
      {"cut", described(count_schema(), "longer texts are shown by so many characters and …")},
      {"top", described(top_schema(), "the values that occur most often")},
      {"topError", described(count_schema(), "by how much each of these counts is too small at most; 0: exact")}};
  return {{"type", "object"}, {"required", json::array{"name", "type", "count", "nulls"}}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

json::object answer_schema() {
  json::object result{{"type", "object"},
                      {"required", json::array{"rows", "fields"}},
                      {"properties", {{"rows", count_schema()}, {"fields", {{"type", "array"}, {"items", field_schema()}}}}}};
  return {{"type", "object"}, {"required", json::array{"result"}}, {"properties", {{"result", std::move(result)}}}};
}

}  // namespace

Operation profile_operation() {
  json::object revision{{"type", "integer"}, {"minimum", 0}, {"maximum", 2147483647}};
  return {.summary = "What its table holds, field by field: how many values, which, how often",
          .parameters = {parameter("fields", "query", text_schema(), "only these, parted by commas"),
                         parameter("revision", "query", std::move(revision), "an old revision")},
          .body = {},
          .problems = {404, 406},
          .answer = answer_schema(),
          .tagged = true};
}

}  // namespace lo::api
