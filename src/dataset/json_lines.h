// A text cut into blocks of whole lines, so that blocks can be parsed side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataset/source.h"

namespace lo::dataset {

struct JsonBlock {
  std::string text = {};          // ends with a line end
  std::int64_t lines_before = 0;  // in the file
  std::int64_t bytes_taken = 0;   // from the source, after this block
  std::optional<std::int64_t> bytes_total = {};
};

class JsonLines {
 public:
  // Blocks of about `block_bytes`, larger where a line is, up to `max_line_bytes`.
  JsonLines(Source text, std::size_t block_bytes, std::size_t max_line_bytes);

  // The lines that the first block begins with; they are given by next() once more. Before the first call of that.
  Result<std::string_view> beginning();

  // The next block, of so many lines at most; nothing at the end. Code::unacceptable naming the line that is too long; what reading gives is passed on.
  Result<std::optional<JsonBlock>> next(std::int64_t max_lines);

 private:
  Status fill();
  Status read_up_to(std::size_t size);

  Source text_;
  const std::size_t block_bytes_;
  const std::size_t max_line_bytes_;
  std::string rest_;        // read and not given yet …
  std::size_t given_ = 0;   // … behind these bytes
  std::int64_t lines_ = 0;  // given
  bool ended_ = false;
};

// A source that gives the elements of one JSON array as lines, if `text` is one, and otherwise `text` as it is. Elements that go over several lines
// are put on one. Code::unacceptable for an array that is not closed, has nothing between two commas, or something behind its end.
Source array_as_lines(Source text);

}  // namespace lo::dataset
