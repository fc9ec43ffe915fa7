// A CSV text cut into blocks of whole rows, whose cells are known, so that blocks can be converted side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataset/csv_scan.h"
#include "dataset/source.h"

namespace lo::dataset {

// What is wrong with a row. `row` counts from 0, in the block or the file.
struct RowFault {
  std::int64_t row = 0;
  std::string detail;
};

struct CsvBlock {
  std::string text = {};
  std::vector<CsvCell> cells = {};  // in `text`, row after row
  std::int64_t rows = 0;
  std::optional<RowFault> fault = {};  // of the row after those
  std::int64_t bytes_taken = 0;  // from the source, after this block
  std::optional<std::int64_t> bytes_total = {};
};

class CsvBlocks {
 public:
  // Blocks of about `block_bytes`, larger where a row is, up to `max_row_bytes`.
  CsvBlocks(Source text, char delimiter, std::size_t block_bytes, std::size_t max_row_bytes);

  // The cells of the first row; nothing when the file has none. What is wrong with it: Code::unacceptable, as "row 1, …".
  Result<std::optional<std::vector<std::string>>> first_row();

  // How the text begins, as far as it was read by first_row().
  std::string_view beginning() const { return rest_; }

  // Goes on with the row that first_row() gave.
  void skip_first_row() { rest_.erase(0, first_row_bytes_); }

  // The next block of rows with so many cells each; nothing at the end, and after a block with a fault nothing but that fault.
  Result<std::optional<CsvBlock>> next(std::size_t columns);

 private:
  Status fill(std::size_t size);
  CsvBlock take(CsvRows rows, std::size_t columns);
  std::optional<std::string> incomplete() const;

  Source text_;
  const char delimiter_;
  const std::size_t block_bytes_;
  const std::size_t max_row_bytes_;
  std::string rest_;  // read and not given yet
  std::size_t first_row_bytes_ = 0;
  bool ended_ = false;
};

}  // namespace lo::dataset
