// Columns of text.
#pragma once

#include <string>
#include <vector>

namespace lo::cli {

using Row = std::vector<std::string>;

// A line per row, each column as wide as its widest cell, two spaces between, none at the end. Columns without a cell in any
// row are left out, with their heading. Cells are printable; rows have as many cells as `heading`.
std::vector<std::string> table_lines(const Row& heading, const std::vector<Row>& rows);

}  // namespace lo::cli
