#include "cli/sse_reader.h"

#include <utility>

namespace lo::cli {

std::vector<SseEvent> SseReader::feed(std::string_view piece) {
  std::vector<SseEvent> events;
  for (char c : piece) {
    bool second_half = c == '\n' && std::exchange(after_return_, c == '\r');
    if (c != '\n') after_return_ = c == '\r';
    if (second_half) continue;
    if (c == '\n' || c == '\r')
      take_line(std::exchange(line_, {}), events);
    else
      line_ += c;
  }
  return events;
}

void SseReader::take_line(std::string_view line, std::vector<SseEvent>& events) {
  if (!line.empty()) {
    auto colon = line.find(':');
    if (colon == 0) return;
    auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    return take_field(line.substr(0, colon), value);
  }
  auto event = std::exchange(event_, {}), data = std::exchange(data_, {});
  if (data.empty()) return;
  data.pop_back();  // the line feed after its last line
  events.push_back({.id = id_, .event = event.empty() ? "message" : std::move(event), .data = std::move(data)});
}

void SseReader::take_field(std::string_view field, std::string_view value) {
  if (field == "data")
    data_.append(value).append("\n");
  else if (field == "event")
    event_ = value;
  else if (field == "id" && value.find('\0') == value.npos)
    id_ = value;
}

}  // namespace lo::cli
