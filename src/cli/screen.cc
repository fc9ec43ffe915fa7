#include "cli/screen.h"

#include <fmt/format.h>

#include <utility>

namespace lo::cli {

void Screen::say(std::string_view text) {
  auto table = drawn_;
  clear();
  fmt::print(out_, "{}\n", for_terminal(text, Lines::keep));
  std::fflush(out_);
  draw(table);
}

void Screen::tell_change(std::string_view line) {
  if (!terminal_.is_terminal) say(line);
}

void Screen::draw(const std::vector<std::string>& lines) {
  if (!terminal_.is_terminal || lines == drawn_) return;
  std::string text;
  if (!drawn_.empty()) text += fmt::format("\x1b[{}A\r", drawn_.size());
  for (const auto& line : lines) text += line + "\x1b[K\n";
  text += "\x1b[J";
  fmt::print(out_, "{}", text);
  std::fflush(out_);
  drawn_ = lines;
}

}  // namespace lo::cli
