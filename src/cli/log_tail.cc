#include "cli/log_tail.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

namespace lo::cli {
namespace {

constexpr std::int64_t kEnough = 16 << 10;

}  // namespace

std::string last_lines(std::string_view text, int count) {
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  std::string lines;
  for (; count > 0 && !text.empty(); --count) {
    auto begin = text.rfind('\n') + 1;  // npos + 1 is 0
    lines = std::string("  ").append(text.substr(begin)).append(lines.empty() ? "" : "\n").append(lines);
    text = text.substr(0, begin == 0 ? 0 : begin - 1);
  }
  return lines;
}

std::string last_lines(const std::filesystem::path& file, std::int64_t begin, int count) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return "";
  in.seekg(std::max(begin, static_cast<std::int64_t>(in.tellg()) - kEnough));
  std::string text(std::istreambuf_iterator<char>(in), {});
  return last_lines(text, count);
}

}  // namespace lo::cli
