// POST, PATCH, GET and DELETE as every service has them.
#pragma once

#include "api/documents.h"
#include "api/service.h"

namespace lo::api {

using Answer = Awaitable<Result<http::Response>>;

// POST: 201 once the step is on disk. `request` gives Prefer.
Answer create(const Context& context, const Service& service, json::object body, const http::Request& request);

// PATCH: `change` is the changed part of the body. 201 once the new revision is on disk.
Answer patch(const Context& context, const Service& service, std::string name, json::object change,
             const http::Request& request);

Answer list(const Context& context, std::string service, const http::Request& request);
Answer documents(const Context& context, const Service& service, std::string name, const http::Request& request);
Answer remove(const Context& context, std::string service, std::string name, const http::Request& request);

// Adds `metadata` to an accepted answer after waiting as Prefer says; as it is without Prefer.
Awaitable<http::Response> after_wait(const Context& context, const http::Request& request, std::vector<std::string> names,
                                     unsigned status, json::value result);
// The same of an answer that has more members than `result`.
Awaitable<http::Response> after_wait(const Context& context, const http::Request& request, std::vector<std::string> names,
                                     unsigned status, json::object body);

}  // namespace lo::api
