// The names of other steps that a step's body refers to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "workflow/services.h"

namespace lo::workflow {

// The name in "$name", "$$name", "$name@3" or "$name.key.key"; nothing for every other text, "$clock" among them.
std::optional<std::string> name_in(std::string_view text);

// Whether its parameters ask for the time for which the step runs: "$clock", "$clock.date".
bool asks_for_clock(const Service& service, const json::object& body);

// All of them, each once, in the order of their appearance. Revisions ("@3") are left out.
std::vector<std::string> references_of(const Service& service, const json::object& body);

}  // namespace lo::workflow
