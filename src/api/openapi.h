// The OpenAPI 3.1 document, made from the router's table, so that it names every route and no other.
#pragma once

#include "base/json.h"
#include "http/router.h"

namespace lo::api {

// Throws std::logic_error (a programmer error) when a route has no operation_id or no description in openapi.cc.
json::object openapi_document(const http::Router& router);

}  // namespace lo::api
