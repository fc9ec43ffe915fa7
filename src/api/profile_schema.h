// What the OpenAPI document says of profiles.
#pragma once

#include "api/operations.h"

namespace lo::api {

Operation profile_operation();

}  // namespace lo::api
