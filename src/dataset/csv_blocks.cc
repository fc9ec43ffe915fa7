#include "dataset/csv_blocks.h"

#include <arrow/buffer.h>
#include <arrow/csv/chunker.h>
#include <arrow/csv/options.h>
#include <algorithm>

#include "dataset/arrow_error.h"

namespace lo::dataset {

CsvBlocks::CsvBlocks(Source text, const arrow::csv::ParseOptions& options, std::size_t block_bytes, std::size_t max_row_bytes)
    : text_(std::move(text)),
      chunker_(arrow::csv::MakeChunker(options)),
      block_bytes_(std::min(block_bytes, max_row_bytes)),
      max_row_bytes_(max_row_bytes) {}

CsvBlocks::~CsvBlocks() = default;

Result<std::optional<CsvBlock>> CsvBlocks::next() {
  for (auto size = block_bytes_; true; size = std::min(size * 2, max_row_bytes_)) {
    LO_TRY(fill(size));
    if (rest_.empty()) return std::nullopt;
    LO_ASSIGN(auto whole, whole_rows());
    if (whole > 0) return take(whole);
    if (ended_) return CsvBlock{std::move(rest_), CsvBlock::Fault::unclosed_quote};
    if (rest_.size() >= max_row_bytes_) return CsvBlock{std::move(rest_), CsvBlock::Fault::too_long};
  }
}

// Reads until `size` bytes wait. A last row without a line end gets one, so that only an open quote keeps a row from being
// whole.
Status CsvBlocks::fill(std::size_t size) {
  auto have = rest_.size();
  if (ended_ || have >= size) return {};
  rest_.resize(size);
  while (have < size && !ended_) {
    auto got = text_->read({rest_.data() + have, size - have});
    if (!got) return fail(got.error());
    have += *got;
    ended_ = *got == 0;
  }
  rest_.resize(have);
  if (ended_ && !rest_.empty() && rest_.back() != '\n') rest_ += '\n';
  return {};
}

Result<std::size_t> CsvBlocks::whole_rows() const {
  std::shared_ptr<arrow::Buffer> whole, partial;
  LO_ARROW_TRY(chunker_->Process(std::make_shared<arrow::Buffer>(std::string_view(rest_)), &whole, &partial), "read the CSV");
  return static_cast<std::size_t>(whole->size());
}

CsvBlock CsvBlocks::take(std::size_t size) {
  CsvBlock block{rest_.substr(size), CsvBlock::Fault::none};
  rest_.resize(size);
  std::swap(rest_, block.text);
  return block;
}

}  // namespace lo::dataset
