// POST, PATCH, GET and DELETE as every service has them.
#pragma once

#include "api/documents.h"
#include "api/once.h"
#include "api/service.h"

namespace lo::api {

using Answer = Awaitable<Result<http::Response>>;

using Accepting = Awaitable<Result<Acceptance>>;

// POST: 201 once the step is on disk.
Accepting create(const Context& context, const Service& service, json::object body, const http::Request& request, const Ticket& ticket);

// PATCH: `change` is the changed part of the body. 201 once the new revision is on disk. `request` gives If-Match and ?cascade.
Accepting patch(const Context& context, const Service& service, std::string name, json::object change, const http::Request& request,
                const Ticket& ticket);

// A new revision of a step: `status` with the step's URL once it is on disk, with the receipt.
Accepting revise(const Context& context, engine::Revise revision, std::string_view service, unsigned status, const Ticket& ticket);

Answer list(const Context& context, std::string service, const http::Request& request);
Answer documents(const Context& context, const Service& service, std::string name, const http::Request& request);
Answer remove(const Context& context, std::string service, std::string name, const http::Request& request);

}  // namespace lo::api
