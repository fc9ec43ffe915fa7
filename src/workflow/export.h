// A workflow as its steps are now.
#pragma once

#include "workflow/plan.h"

namespace lo::workflow {

// The document that recreates the steps of `workflow` as they are stored, so also with what was changed since it was posted; posting it
// to a server that has `stored` changes nothing. A step that is not stored any more is as the workflow has it. Parents come before
// children, else the order is the workflow's. The types of a dataset are one dataType step after it.
// Code::internal when a stored request cannot stand in a workflow.
Result<json::object> export_workflow(const Workflow& workflow, const Stored& stored);

}  // namespace lo::workflow
