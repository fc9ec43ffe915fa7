// What the OpenAPI document says of /gc and /usage.
#pragma once

#include "base/json.h"

namespace lo::api {

json::object swept_schema();
json::object usage_schema();

}  // namespace lo::api
