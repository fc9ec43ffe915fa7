#include "dataset/shown.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>

namespace lo::dataset {
namespace {

constexpr std::size_t kMost = 60;

// The length of the valid UTF-8 character at the start of `text`, 0 when there is none.
std::size_t character_length(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length)
    if (arrow::util::ValidateUTF8(text.substr(0, length))) return length;
  return 0;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string shown(std::string_view value) {
  arrow::util::InitializeUTF8();
  std::string out = "'";
  auto rest = value;
  while (!rest.empty() && value.size() - rest.size() < kMost) {
    auto length = is_control(rest.front()) ? 0 : character_length(rest);
    if (length == 0) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(rest.front()));
    out += rest.substr(0, length);
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return out + (rest.empty() ? "'" : "…'");
}

}  // namespace lo::dataset
