#include <arrow/compute/api.h>
#include <arrow/type_traits.h>

#include <cmath>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"
#include "dataset/cell_texts_impl.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kWhat = "write the rows";

using Column = std::shared_ptr<arrow::Array>;
using Texts = std::unique_ptr<CellTexts>;

struct NoText {
  static void append_null(TextBuffer&) {}
};

struct Number : NoText {
  static void append(std::integral auto number, TextBuffer& out) { append_number(number, out); }

  // Arrow's form: the shortest exact one, with an exponent below 0.000001 and from 1e+10 on, which has no leading zero.
  static void append(double number, TextBuffer& out) {
    if (std::isnan(number)) return out.append("nan");
    constexpr std::size_t kMost = 32;
    auto* at = out.room(kMost);
    auto size = std::abs(number);
    auto format = number == 0 || (size >= 1e-6 && size < 1e10) ? std::chars_format::fixed : std::chars_format::scientific;
    auto* end = std::to_chars(at, at + kMost, number, format).ptr;
    if (format == std::chars_format::scientific && end - at > 3 && end[-2] == '0' && (end[-3] == '-' || end[-3] == '+')) {
      end[-2] = end[-1];
      --end;
    }
    out.written_to(end);
  }
};

struct Truth : NoText {
  static void append(bool value, TextBuffer& out) { out.append(value ? std::string_view("true") : std::string_view("false")); }
};

struct Plain : NoText {
  static void append(std::string_view text, TextBuffer& out) { out.append(text); }
};

struct WithZ : NoText {
  static void append(std::string_view text, TextBuffer& out) {
    out.append(text);
    out.append('Z');
  }
};

struct Quoted : NoText {
  static void append(std::string_view text, TextBuffer& out) { append_csv_text(text, out); }
};

class NestedTexts final : public CellTexts {
 public:
  explicit NestedTexts(Column column) : column_(std::move(column)) {}
  void append(std::int64_t row, TextBuffer& out) const override {
    if (!column_->IsNull(row)) append_csv_text(write_json(cell_json(*column_, row)), out);
  }

 private:
  const Column column_;
};

template <class Array, class Text>
Texts made(Column column) {
  return std::make_unique<ValueTexts<Array, Text>>(std::move(column));
}

Result<Texts> numbered(Column column) {
  LO_ASSIGN(auto values, csv_texts(static_cast<const arrow::DictionaryArray&>(*column).dictionary()));
  return std::make_unique<NumberedTexts<NoText>>(std::move(column), std::move(values));
}

Result<Texts> by_cast(const Column& column) {
  LO_ARROW_ASSIGN(auto cast, arrow::compute::Cast(*column, arrow::utf8()), kWhat);
  bool is_text = arrow::is_binary_like(column->type_id()) || arrow::is_large_binary_like(column->type_id()) ||
                 arrow::is_binary_view_like(column->type_id()) || column->type_id() == arrow::Type::FIXED_SIZE_BINARY;
  return is_text ? made<arrow::StringArray, Quoted>(std::move(cast)) : made<arrow::StringArray, Plain>(std::move(cast));
}

// Arrow's text of a time in UTC is that of the same time without a zone and a Z, but it takes 2 µs to make it.
Result<Texts> time_texts(const Column& column) {
  const auto& type = static_cast<const arrow::TimestampType&>(*column->type());
  if (type.timezone() != "UTC") return by_cast(column);
  LO_ARROW_ASSIGN(auto times, column->View(arrow::timestamp(type.unit())), kWhat);
  LO_ARROW_ASSIGN(auto cast, arrow::compute::Cast(*times, arrow::utf8()), kWhat);
  return made<arrow::StringArray, WithZ>(std::move(cast));
}

}  // namespace

void append_csv_text(std::string_view text, TextBuffer& out) {
  auto* at = out.room(2 * text.size() + 2);
  *at++ = '"';
  while (!text.empty()) {  // up to the next quote, which is written twice
    const auto* quote = static_cast<const char*>(std::memchr(text.data(), '"', text.size()));
    auto size = quote == nullptr ? text.size() : static_cast<std::size_t>(quote - text.data()) + 1;
    std::memcpy(at, text.data(), size);
    at += size;
    if (quote != nullptr) *at++ = '"';
    text.remove_prefix(size);
  }
  *at++ = '"';
  out.written_to(at);
}

Result<Texts> csv_texts(Column column) {
  using Id = arrow::Type;
  switch (column->type_id()) {
    case Id::BOOL: return made<arrow::BooleanArray, Truth>(std::move(column));
    case Id::INT8: return made<arrow::Int8Array, Number>(std::move(column));
    case Id::INT16: return made<arrow::Int16Array, Number>(std::move(column));
    case Id::INT32: return made<arrow::Int32Array, Number>(std::move(column));
    case Id::INT64: return made<arrow::Int64Array, Number>(std::move(column));
    case Id::UINT8: return made<arrow::UInt8Array, Number>(std::move(column));
    case Id::UINT16: return made<arrow::UInt16Array, Number>(std::move(column));
    case Id::UINT32: return made<arrow::UInt32Array, Number>(std::move(column));
    case Id::UINT64: return made<arrow::UInt64Array, Number>(std::move(column));
    case Id::DOUBLE: return made<arrow::DoubleArray, Number>(std::move(column));
    case Id::STRING: return made<arrow::StringArray, Quoted>(std::move(column));
    case Id::LARGE_STRING: return made<arrow::LargeStringArray, Quoted>(std::move(column));
    case Id::STRING_VIEW: return made<arrow::StringViewArray, Quoted>(std::move(column));
    case Id::TIMESTAMP: return time_texts(column);
    case Id::DICTIONARY: return numbered(std::move(column));
    case Id::EXTENSION: return csv_texts(static_cast<const arrow::ExtensionArray&>(*column).storage());
    default:
      if (arrow::is_nested(column->type_id())) return std::make_unique<NestedTexts>(std::move(column));
      return by_cast(column);
  }
}

}  // namespace lo::dataset
