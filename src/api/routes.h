// All routes of the API.
#pragma once

#include "api/context.h"
#include "http/router.h"

namespace lo::api {

// Adds every route to `router`; `context` outlives it. openapi.json describes just what is added here.
void add_routes(http::Router& router, const Context& context);

// By file: service_routes.cc, upload_routes.cc, step_routes.cc, workflow_routes.cc, observe_routes.cc, housekeeping_routes.cc,
// system_routes.cc.
void add_service_routes(http::Router& router, const Context& context);
void add_upload_routes(http::Router& router, const Context& context);
void add_step_routes(http::Router& router, const Context& context);
void add_workflow_routes(http::Router& router, const Context& context);
void add_observe_routes(http::Router& router, const Context& context);
void add_housekeeping_routes(http::Router& router, const Context& context);
void add_system_routes(http::Router& router, const Context& context);

}  // namespace lo::api
