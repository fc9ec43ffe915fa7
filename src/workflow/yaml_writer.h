// JSON as YAML for people and for git.
#pragma once

#include <string>

#include "base/json.h"

namespace lo::workflow {

// Block style, members in their order, texts of several lines as literal blocks, all else as plain as it can be. The same value
// gives the same bytes, and read_yaml() gives the value back.
std::string write_yaml(const json::value& value);

}  // namespace lo::workflow
