#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/locale/utf.hpp>
#include <cstdlib>

namespace lo::cli {
namespace {

using Utf8 = boost::locale::utf::utf_traits<char>;

bool acts_on_terminal(char32_t point) {
  bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
  bool separates_lines = point == 0x2028 || point == 0x2029;
  bool turns_direction = (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0x200e ||
                         point == 0x200f || point == 0x061c;
  return control || separates_lines || turns_direction;
}

std::string escape_of(char32_t point) {
  auto number = static_cast<unsigned>(point);
  return number < 0x80 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) == "dumb";
}

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

Terminal inspect_terminal(int fd) {
  Terminal terminal{.is_terminal = ::isatty(fd) == 1 && !is_dumb()};
  terminal.colors = terminal.is_terminal && !is_set("NO_COLOR");
  winsize size{};
  if (terminal.is_terminal && ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    terminal.columns = size.ws_col;
    terminal.rows = size.ws_row;
  }
  return terminal;
}

std::string for_terminal(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  auto at = text.begin();
  while (at != text.end()) {
    auto start = at;
    char32_t point = Utf8::decode(at, text.end());
    bool broken = point == boost::locale::utf::illegal || point == boost::locale::utf::incomplete;
    if (broken) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(*start));
      at = start + 1;
    } else if (point == '\t' || (point == '\n' && lines == Lines::keep)) {
      out += static_cast<char>(point);
    } else if (acts_on_terminal(point)) {
      out += escape_of(point);
    } else {
      out.append(start, at);
    }
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues_character(c); }));
}

std::string shortened(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) return std::string(text);
  std::size_t end = 0, characters = 0;
  while (end < text.size() && (continues_character(text[end]) || ++characters < columns)) ++end;
  return std::string(text.substr(0, end)) + "…";
}

std::string painted(std::string_view text, Color color, const Terminal& terminal) {
  if (!terminal.colors || color == Color::none) return std::string(text);
  constexpr std::string_view codes[] = {"0", "31", "32", "33", "2"};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<std::size_t>(color)], text);
}

Color color_of(std::string_view status) {
  if (status == "finished") return Color::green;
  if (status == "failed" || status == "cancelled") return Color::red;
  if (status == "running") return Color::yellow;
  return Color::dim;
}

}  // namespace lo::cli
