// Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from pieces of a stream. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lo::cli {

struct SseEvent {
  std::string id;     // the last one given, also by earlier events
  std::string event;  // "message" when it has no name
  std::string data;
  bool operator==(const SseEvent&) const = default;
};

class SseReader {
 public:
  // The events that `piece` completes. Comments and `retry` are skipped.
  std::vector<SseEvent> feed(std::string_view piece);

 private:
  void take_line(std::string_view line, std::vector<SseEvent>& events);
  void take_field(std::string_view field, std::string_view value);

  std::string line_;           // begun
  bool after_return_ = false;  // "\r" came last: a "\n" belongs to it
  std::string id_;
  std::string event_;
  std::string data_;
};

}  // namespace lo::cli
