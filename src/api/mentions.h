// The references in the values of a request: "$name", "$name.key", "$name@2", "$$name", at any depth of lists and objects. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/conductor.h"

namespace lo::api {

// The mentions in `value`, which stands at `pointer` of the body, in order, none twice. "\\$x", "#expression" and "$clock", the time for
// which the step runs, are none.
// Code::unacceptable with the pointer for "$" without a name.
Result<std::vector<engine::Mention>> find_mentions(const json::value& value, const std::string& pointer);

}  // namespace lo::api
