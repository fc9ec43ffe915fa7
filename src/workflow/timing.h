// What the schedule of a whole workflow means for each of its steps.
//
// What needs no other step of the workflow runs by the schedule, and so does what asks for `$clock`. With `cron`, everything else is made
// again when its inputs came out otherwise: `autoUpdate`. A step that says something else itself, `schedule: null` or `autoUpdate: false`
// among it, has the last word. Environments are left alone, a dataType belongs to its dataset. Pure.
#pragma once

#include "workflow/workflow.h"

namespace lo::workflow {

// Gives every step its `implied` members, and has them in its body where that does not say otherwise.
void apply_schedule(Workflow& workflow);

// The body as a document has it: without what goes without saying because of the workflow's schedule.
json::object without_implied(const FileStep& step);

// `body` makes a step as it is now: has it say where that is not what the schedule implies.
void state_exceptions(const json::object& implied, json::object& body);

}  // namespace lo::workflow
