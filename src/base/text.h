// Text from outside, made fit to be shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lo {

// The same text in valid UTF-8: each byte that is not part of a character becomes U+FFFD.
std::string to_utf8(std::string_view text);

// For messages and logs: valid UTF-8 on one line, control characters as "\x1b", cut after `longest` characters with "…".
std::string printable(std::string_view text, std::size_t longest = 140);

}  // namespace lo
