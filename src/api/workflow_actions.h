// Carrying out the plan of a workflow, by the code that single requests take.
#pragma once

#include "api/workflow_steps.h"

namespace lo::api {

// Everything that can be said against the actions before the first of them is done: Code::unacceptable with all of it, each at its place
// in the document. What depends on results that are about to change is left to the action itself.
Awaitable<Status> check_actions(const Context& context, const workflow::Workflow& flow, const StoredSteps& stored,
                                const std::vector<workflow::Action>& actions, std::string_view user);

// Does one; on disk when it returns. `stored` is what the plan was made from. Errors name the step and its place. `user` is whose
// token the workflow came with, as in ownership.h.
Awaitable<Status> carry_out(const Context& context, const workflow::Workflow& flow, const StoredSteps& stored,
                            const workflow::Action& action, std::string_view user);

}  // namespace lo::api
