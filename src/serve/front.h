// The routes of a server that may be one of several: what only the one that leads can answer is handed on to it.
#pragma once

#include "http/router.h"
#include "http/upstream.h"
#include "serve/group.h"

namespace lo::serve {

// Adds to `front` the routes of `own`, which are called where this server can answer: all while it leads, else those for anywhere, which may still say that the
// answer is elsewhere (Code::elsewhere) as long as nothing was done. A request that finds
// nobody who leads waits for a while, then gets 503; so does one whose leader was lost while it had it, unless it can be sent again: it only reads, or has an
// Idempotency-Key. All outlive `front`.
void add_front_routes(http::Router& front, const http::Router& own, Group& group, const http::Upstream& upstream);

}  // namespace lo::serve
