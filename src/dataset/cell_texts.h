// The cells of a column as text, straight from Arrow's arrays: what streams of whole tables are made of.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "dataset/text_buffer.h"

namespace lo::dataset {

// Threads: any, if each has a buffer of its own.
class CellTexts {
 public:
  virtual ~CellTexts() = default;
  virtual void append(std::int64_t row, TextBuffer& out) const = 0;
};

// As Arrow's CSV writer has them: texts in quotes, null as nothing, what has no text of its own by Arrow's cast. Lists and structures are JSON in
// quotes. Code::corrupt for what has no text, and for bytes that are not UTF-8.
Result<std::unique_ptr<CellTexts>> csv_texts(std::shared_ptr<arrow::Array> column);

// As write_json(cell_json(…)) has them.
std::unique_ptr<CellTexts> json_texts(std::shared_ptr<arrow::Array> column);

// One text, as csv_texts and json_texts have it.
void append_csv_text(std::string_view text, TextBuffer& out);
void append_json_text(std::string_view text, TextBuffer& out);

}  // namespace lo::dataset
