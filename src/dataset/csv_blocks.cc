#include "dataset/csv_blocks.h"

#include <fmt/format.h>

#include <algorithm>

#include "dataset/shown.h"

namespace lo::dataset {
namespace {

std::string describe(const CsvRows::Ragged& ragged, std::size_t columns) {
  return fmt::format("{} columns where {} are expected: {}", ragged.cells, columns, shown(ragged.text));
}

std::vector<std::string> texts_of(std::string_view text, const std::vector<CsvCell>& cells) {
  std::vector<std::string> texts;
  for (const auto& cell : cells) texts.push_back(cell_text(text, cell));
  return texts;
}

}  // namespace

CsvBlocks::CsvBlocks(Source text, char delimiter, std::size_t block_bytes, std::size_t max_row_bytes)
    : text_(std::move(text)), delimiter_(delimiter), block_bytes_(std::min(block_bytes, max_row_bytes)), max_row_bytes_(max_row_bytes) {}

Result<std::optional<std::vector<std::string>>> CsvBlocks::first_row() {
  for (auto size = block_bytes_; true; size = std::min(size * 2, max_row_bytes_)) {
    LO_TRY(fill(size));
    auto found = scan_first_row(rest_, delimiter_);
    first_row_bytes_ = found.bytes;
    if (found.rows > 0) return texts_of(rest_, found.cells);
    rest_.erase(0, found.bytes);
    if (rest_.empty() && ended_) return std::nullopt;
    if (auto why = incomplete()) return fail(Code::unacceptable, "row 1, " + *why);
  }
}

Result<std::optional<CsvBlock>> CsvBlocks::next(std::size_t columns) {
  for (auto size = block_bytes_; true; size = std::min(size * 2, max_row_bytes_)) {
    LO_TRY(fill(size));
    auto rows = scan_csv(rest_, delimiter_, columns);
    if (rows.rows > 0 || rows.ragged) return take(std::move(rows), columns);
    rest_.erase(0, rows.bytes);
    if (rest_.empty() && ended_) return std::nullopt;
    if (auto why = incomplete()) return CsvBlock{.fault = RowFault{.row = 0, .detail = *std::move(why)}};
  }
}

// Reads until `size` bytes wait. A last row without a line end gets one, so that only an open quote keeps a row from being
// whole.
Status CsvBlocks::fill(std::size_t size) {
  auto have = rest_.size();
  if (ended_ || have >= size) return {};
  Status read;
  rest_.resize_and_overwrite(size, [&](char* data, std::size_t) {
    while (have < size && !ended_ && read) {
      auto got = text_->read({data + have, size - have});
      if (!got) read = std::unexpected(got.error());
      auto bytes = got.value_or(0);
      have += bytes;
      ended_ = got && bytes == 0;
    }
    return have;
  });
  if (ended_ && !rest_.empty() && rest_.back() != '\n') rest_ += '\n';
  return read;
}

CsvBlock CsvBlocks::take(CsvRows rows, std::size_t columns) {
  CsvBlock block{.cells = std::move(rows.cells), .rows = rows.rows};
  if (rows.ragged) block.fault = RowFault{.row = rows.rows, .detail = describe(*rows.ragged, columns)};
  auto rest = rest_.substr(rows.bytes);
  block.text = std::exchange(rest_, std::move(rest));
  block.text.resize(rows.bytes);
  block.bytes_taken = text_->bytes_taken();
  block.bytes_total = text_->bytes_total();
  return block;
}

// Why what waits is not a whole row and does not become one.
std::optional<std::string> CsvBlocks::incomplete() const {
  if (ended_) return fmt::format("a quote is opened and never closed: {}", shown(rest_));
  if (rest_.size() < max_row_bytes_) return std::nullopt;
  return fmt::format("the row has at least {} bytes (is a quote never closed?): {}", max_row_bytes_, shown(rest_));
}

}  // namespace lo::dataset
