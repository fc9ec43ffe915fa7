// A step's log as text, whole or followed while it grows.
#pragma once

#include <filesystem>

#include "api/handlers.h"

namespace lo::api {

struct LogPlace {
  engine::RevisionKey key;
  int attempt = 1;
  std::filesystem::path path;
};

// A tag of the log as it is now, with its quotes: it changes whenever something is printed. Blocks.
std::string log_tag(const LogPlace& place);

// 200 text/plain: the log as it is now, read piece by piece; empty while nothing was printed.
http::Response log_response(const Context& context, LogPlace place);

// Server-sent events: "log" with {"text": …} per piece of whole lines, then "end" with {"status": …} once the attempt has ended.
http::Response follow_log(const Context& context, LogPlace place);

}  // namespace lo::api
