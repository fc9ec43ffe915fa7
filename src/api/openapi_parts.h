// Small pieces of the OpenAPI document.
#pragma once

#include <string_view>

#include "base/json.h"

namespace lo::api {

json::object text_schema();
json::object ref(std::string_view name);  // to a schema of the document's components

// `in` is "path", "query" or "header".
json::object parameter(std::string_view name, std::string_view in, json::object schema, std::string_view description);

}  // namespace lo::api
