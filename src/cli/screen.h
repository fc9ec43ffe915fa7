// Where a run shows how far it is: a table drawn again in place on a terminal, a line per change elsewhere.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal.h"

namespace lo::cli {

class Screen {
 public:
  // `out` outlives it.
  Screen(std::FILE* out, Terminal terminal) : out_(out), terminal_(terminal) {}
  ~Screen() { clear(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  const Terminal& terminal() const { return terminal_; }

  // A message that stays. `text` may have several lines; what could act on the terminal is escaped.
  void say(std::string_view text);

  // A message where nothing can be drawn again; nothing on a terminal.
  void tell_change(std::string_view line);

  // Takes the place of the table drawn before. Nothing where nothing can be drawn again. Lines are printable and fit.
  void draw(const std::vector<std::string>& lines);

  // Takes the table away.
  void clear() { draw({}); }

 private:
  std::FILE* out_;
  Terminal terminal_;
  std::vector<std::string> drawn_;
};

}  // namespace lo::cli
