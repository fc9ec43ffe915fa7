// POST /workflow.
#pragma once

#include "api/verbs.h"

namespace lo::api {

// Brings the server to what the document says. Everything is checked first; then the workflow is put on record; then its steps are
// created, changed and run again, parents first. A post that is cut off leaves a workflow whose repetition goes on where it stopped;
// the receipt of one that was not comes last.
Accepting post_workflow(const Context& context, const http::Request& request, const Ticket& ticket);

}  // namespace lo::api
