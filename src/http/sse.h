// Server-sent events as text (https://html.spec.whatwg.org/multipage/server-sent-events.html). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace lo::http {

struct Event {
  std::string id = {};                                  // what Last-Event-ID brings back; none when empty
  std::string event = {};                               // the name listeners go by; "message" when empty
  std::string data = {};                                // any text; lines become lines of data
  std::optional<std::chrono::milliseconds> retry = {};  // how long a client waits before it comes back
};

// One event with the empty line that ends it. Line ends and NUL in id and event, which would forge fields, are left out.
std::string format_event(const Event& event);

// A comment, which clients skip: keeps the connection alive.
std::string format_comment(std::string_view text);

// 200 text/event-stream written by `body`.
Response event_stream(StreamBody body);

}  // namespace lo::http
