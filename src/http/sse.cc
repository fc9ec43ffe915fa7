#include "http/sse.h"

#include <fmt/format.h>

#include <algorithm>

namespace lo::http {
namespace {

std::string on_one_line(std::string_view text) {
  std::string line(text);
  std::erase_if(line, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return line;
}

// Takes the next line off `text`; a line ends with LF, CR or CRLF.
std::string_view take_line(std::string_view& text) {
  auto end = std::min(text.find_first_of("\r\n"), text.size());
  auto line = text.substr(0, end);
  text.remove_prefix(end);
  if (!text.empty()) text.remove_prefix(text.starts_with("\r\n") ? 2 : 1);
  return line;
}

// Each line of `text` behind `field`; an empty text is one empty line, and so is what follows a last line end.
void append_lines(std::string& out, std::string_view field, std::string_view text) {
  bool ended = true;
  while (!text.empty()) {
    auto before = text.size();
    auto line = take_line(text);
    ended = before > line.size() && text.empty();
    out += fmt::format("{}: {}\n", field, line);
  }
  if (ended) out += fmt::format("{}: \n", field);
}

}  // namespace

std::string format_event(const Event& event) {
  std::string out;
  if (!event.id.empty()) out += fmt::format("id: {}\n", on_one_line(event.id));
  if (!event.event.empty()) out += fmt::format("event: {}\n", on_one_line(event.event));
  if (event.retry) out += fmt::format("retry: {}\n", event.retry->count());
  append_lines(out, "data", event.data);
  return out + "\n";
}

std::string format_comment(std::string_view text) {
  std::string out;
  append_lines(out, "", text);
  return out + "\n";
}

Response event_stream(StreamBody body) {
  Response response{.status = 200, .headers = {{"Content-Type", "text/event-stream"}}, .body = std::move(body)};
  response.headers.emplace_back("X-Accel-Buffering", "no");  // asks proxies (nginx) to pass each event on at once
  return response;
}

}  // namespace lo::http
