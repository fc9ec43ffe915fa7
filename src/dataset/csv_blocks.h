// A CSV text cut into blocks of whole rows, so that blocks can be parsed side by side.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dataset/source.h"

namespace arrow {
class Chunker;
}
namespace arrow::csv {
struct ParseOptions;
}

namespace lo::dataset {

struct CsvBlock {
  // What is wrong with the first row of `text`, which is then its only one and not whole.
  enum class Fault { none, too_long, unclosed_quote };
  std::string text;  // whole rows, each with its line end
  Fault fault = Fault::none;
};

class CsvBlocks {
 public:
  // Blocks of about `block_bytes`, larger where a row is, up to `max_row_bytes`.
  CsvBlocks(Source text, const arrow::csv::ParseOptions& options, std::size_t block_bytes, std::size_t max_row_bytes);
  ~CsvBlocks();

  // The next block; nothing at the end. After a block with a fault, do not ask again.
  Result<std::optional<CsvBlock>> next();
  const ByteSource& source() const { return *text_; }

 private:
  Status fill(std::size_t size);
  Result<std::size_t> whole_rows() const;
  CsvBlock take(std::size_t size);

  Source text_;
  std::unique_ptr<arrow::Chunker> chunker_;
  const std::size_t block_bytes_;
  const std::size_t max_row_bytes_;
  std::string rest_;  // read and not given yet
  bool ended_ = false;
};

}  // namespace lo::dataset
