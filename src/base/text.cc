#include "base/text.h"

#include <boost/locale/utf.hpp>
#include <fmt/format.h>

namespace lo {
namespace {

namespace utf = boost::locale::utf;
using Utf8 = utf::utf_traits<char>;

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_control(utf::code_point point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

// Cuts one character off the front of `rest` and gives it; a byte that belongs to none gives the replacement character.
struct Character {
  std::string_view bytes;
  utf::code_point point;
};
Character take_character(std::string_view& rest) {
  const auto* begin = rest.data();
  const auto* next = begin;
  auto point = Utf8::decode(next, begin + rest.size());
  if (!utf::is_valid_codepoint(point)) {
    rest.remove_prefix(1);
    return {.bytes = kReplacement, .point = 0xfffd};
  }
  std::string_view bytes(begin, static_cast<std::size_t>(next - begin));
  rest.remove_prefix(bytes.size());
  return {.bytes = bytes, .point = point};
}

}  // namespace

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) out += take_character(text).bytes;
  return out;
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string out;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == longest) return out + "…";
    auto [bytes, point] = take_character(text);
    if (is_control(point))
      out += fmt::format("\\x{:02x}", point);
    else
      out += bytes;
  }
  return out;
}

}  // namespace lo
