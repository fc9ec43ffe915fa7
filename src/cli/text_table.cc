#include "cli/text_table.h"

#include <algorithm>

#include "cli/terminal.h"

namespace lo::cli {
namespace {

std::vector<std::size_t> widths_of(const Row& heading, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(heading.size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  for (std::size_t i = 0; i < widths.size(); ++i)
    if (widths[i] > 0) widths[i] = std::max(widths[i], width_of(heading[i]));
  return widths;
}

std::string line_of(const Row& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    if (!line.empty()) line += "  ";
    line += row[i] + std::string(widths[i] - width_of(row[i]), ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::vector<std::string> table_lines(const Row& heading, const std::vector<Row>& rows) {
  auto widths = widths_of(heading, rows);
  std::vector<std::string> lines{line_of(heading, widths)};
  for (const auto& row : rows) lines.push_back(line_of(row, widths));
  return lines;
}

}  // namespace lo::cli
