// Numbers on the answers of the HTTP server, for Prometheus.
#pragma once

#include <prometheus/registry.h>

#include "http/server.h"

namespace lo::serve {

// Counts them, and their times, in `registry`, which outlives it. Any thread.
http::Server::Observer count_answers(prometheus::Registry& registry);

}  // namespace lo::serve
