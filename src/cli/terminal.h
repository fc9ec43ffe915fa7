// What can be shown where: escaping, colours, the size of the terminal.
#pragma once

#include <string>
#include <string_view>

namespace lo::cli {

struct Terminal {
  bool is_terminal = false;  // of a person, so that lines can be drawn again
  bool colors = false;       // never where NO_COLOR is set, TERM is dumb, or nobody looks
  int columns = 80;
  int rows = 24;
};

// Of the file descriptor as it is now. Any thread.
Terminal inspect_terminal(int fd);

// `text` such that a terminal shows it and does nothing else: control characters, marks that turn the direction of writing, and
// bytes that are no UTF-8 become \xNN or \uNNNN. Line feeds stay only where they are allowed.
enum class Lines { escape, keep };
std::string for_terminal(std::string_view text, Lines lines = Lines::escape);

// Cut to `columns` characters, the last of them "…". `text` is printable.
std::string shortened(std::string_view text, std::size_t columns);

// Characters, not bytes.
std::size_t width_of(std::string_view text);

enum class Color { none, red, green, yellow, dim };
std::string painted(std::string_view text, Color color, const Terminal& terminal);

// Of a state in the words of the API.
Color color_of(std::string_view status);

}  // namespace lo::cli
