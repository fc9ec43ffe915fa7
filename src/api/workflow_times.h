// A workflow and the times for which it is made: GET /workflow/{name}/times and POST /workflow/{name}/rerun.
#pragma once

#include "api/verbs.h"

namespace lo::api {

// The times of its cron schedule from ?from on and before ?to, and whether every step has a finished result of each.
Answer workflow_times(const Context& context, http::Request& request);

// Makes all of its steps anew for `scheduledFor` of the body, a time that is over: parents first, environments aside.
Accepting rerun_workflow(const Context& context, const http::Request& request, const Ticket& ticket);

}  // namespace lo::api
