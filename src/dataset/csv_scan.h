// Where the cells of a CSV text are: RFC 4180 with any line end, 64 characters at a time. Pure: any number of threads.
//
// A cell that begins with a quote lasts to the quote that closes it, whatever is between; two quotes there are one. What follows the closing
// quote belongs to the cell as it stands, and so does a quote within a cell that began without one. Empty lines are skipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lo::dataset {

// A part of the text: what the cell holds; or, where it is `coded`, how it is written, quotes and all.
struct CsvCell {
  std::uint32_t begin = 0;
  std::uint32_t size : 31 = 0;
  std::uint32_t coded : 1 = 0;
};

struct CsvRows {
  std::vector<CsvCell> cells;  // row after row
  std::int64_t rows = 0;
  std::size_t bytes = 0;  // that the rows take, with empty lines before and after them

  // The first row that has not as many cells as it should; the rows are those before it.
  struct Ragged {
    std::size_t cells;
    std::string_view text;
  };
  std::optional<Ragged> ragged;
};

// The whole rows at the start of `text`, which has at most 2 GB: those whose line end is there. `columns` (> 0) cells each.
CsvRows scan_csv(std::string_view text, char delimiter, std::size_t columns);

// The first whole row, however many cells it has; no row when there is none.
CsvRows scan_first_row(std::string_view text, char delimiter);

// What a coded cell holds, appended to `out`.
void decode_cell(std::string_view coded, std::string& out);

// What any cell of `text` holds.
std::string cell_text(std::string_view text, const CsvCell& cell);

}  // namespace lo::dataset
