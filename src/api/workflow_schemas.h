// The schemas of /workflow for the OpenAPI document.
#pragma once

#include "base/json.h"

namespace lo::api {

json::object workflow_schema();          // what is posted and exported
json::object workflow_posted_schema();   // what POST answers
json::object workflow_shown_schema();    // GET of one
json::object workflows_schema();         // GET of all
json::object workflow_times_schema();
json::object workflow_rerun_schema();         // what is posted
json::object workflow_rerun_answer_schema();
json::object workflow_deleted_schema();  // what DELETE answers

}  // namespace lo::api
