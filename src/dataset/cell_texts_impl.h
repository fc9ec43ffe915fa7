// What csv_texts.cc and json_texts.cc share.
#pragma once

#include <arrow/array.h>

#include <charconv>
#include <concepts>
#include <utility>

#include "dataset/cell_texts.h"

namespace lo::dataset {

// Cells whose text is that of their values; `Text` has append(value, out) and append_null(out).
template <class Array, class Text>
class ValueTexts final : public CellTexts {
 public:
  explicit ValueTexts(std::shared_ptr<arrow::Array> column)
      : column_(std::move(column)), values_(static_cast<const Array&>(*column_)), has_nulls_(values_.null_count() > 0) {}

  void append(std::int64_t row, TextBuffer& out) const override {
    if (has_nulls_ && values_.IsNull(row)) return Text::append_null(out);
    if constexpr (requires { values_.GetView(row); })
      Text::append(values_.GetView(row), out);
    else
      Text::append(values_.Value(row), out);
  }

 private:
  const std::shared_ptr<arrow::Array> column_;
  const Array& values_;
  const bool has_nulls_;
};

// Cells that name one of a few values by its number.
template <class Text>
class NumberedTexts final : public CellTexts {
 public:
  NumberedTexts(std::shared_ptr<arrow::Array> column, std::unique_ptr<CellTexts> values)
      : column_(std::move(column)), numbers_(static_cast<const arrow::DictionaryArray&>(*column_)), values_(std::move(values)) {}

  void append(std::int64_t row, TextBuffer& out) const override {
    if (numbers_.IsNull(row)) return Text::append_null(out);
    values_->append(numbers_.GetValueIndex(row), out);
  }

 private:
  const std::shared_ptr<arrow::Array> column_;
  const arrow::DictionaryArray& numbers_;
  const std::unique_ptr<CellTexts> values_;
};

template <std::integral Number>
void append_number(Number number, TextBuffer& out) {
  constexpr std::size_t kMost = 24;
  auto* at = out.room(kMost);
  out.written_to(std::to_chars(at, at + kMost, number).ptr);
}

}  // namespace lo::dataset
