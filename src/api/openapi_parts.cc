#include "api/openapi_parts.h"

#include <fmt/format.h>

namespace lo::api {

json::object text_schema() { return {{"type", "string"}}; }

json::object parameter(std::string_view name, std::string_view in, json::object schema, std::string_view description) {
  return {{"name", name},
          {"in", in},
          {"required", in == "path"},
          {"schema", std::move(schema)},
          {"description", description}};
}

json::object ref(std::string_view name) { return {{"$ref", fmt::format("#/components/schemas/{}", name)}}; }

}  // namespace lo::api
