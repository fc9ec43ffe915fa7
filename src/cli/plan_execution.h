// Carries out a plan through the API, action by action.
#pragma once

#include <vector>

#include "cli/api_client.h"
#include "cli/patience.h"
#include "cli/workflow_plan.h"

namespace lo::cli {

// What the server has of the workflow's names.
Result<Stored> look_up(ApiClient& api, Patience& patience, const std::vector<std::string>& names);

// Does one action. `stored` is what the plan was made from: after a cut it tells whether the action arrived in spite of it, and
// whether the server has begun by itself what the plan asks for. Errors name the step and its line.
Status carry_out(ApiClient& api, Patience& patience, const Workflow& workflow, const Stored& stored, const Action& action);

}  // namespace lo::cli
