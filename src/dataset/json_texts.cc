#include <arrow/util/utf8.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "dataset/cell.h"
#include "dataset/cell_texts_impl.h"

namespace lo::dataset {
namespace {

using Column = std::shared_ptr<arrow::Array>;
using Texts = std::unique_ptr<CellTexts>;

// Whether a character is written otherwise than it is, or stands for more than itself.
constexpr auto kSpecial = [] {
  std::array<bool, 256> special{};
  for (int c = 0; c < 256; ++c) special[static_cast<std::size_t>(c)] = c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
  return special;
}();

bool is_special(char c) { return kSpecial[static_cast<unsigned char>(c)]; }

char* append_escaped(char c, char* at) {
  constexpr std::string_view kFrom = "\"\\\b\f\n\r\t", kTo = "\"\\bfnrt", kHex = "0123456789abcdef";
  *at++ = '\\';
  if (auto known = kFrom.find(c); known != std::string_view::npos) {
    *at++ = kTo[known];
    return at;
  }
  for (char each : {'u', '0', '0', kHex[static_cast<std::size_t>(c) >> 4], kHex[static_cast<std::size_t>(c) & 15]}) *at++ = each;
  return at;
}

struct NullText {
  static void append_null(TextBuffer& out) { out.append("null"); }
};

struct Number : NullText {
  static void append(std::integral auto number, TextBuffer& out) { append_number(number, out); }
  static void append(float number, TextBuffer& out) { append(static_cast<double>(number), out); }
  static void append(double number, TextBuffer& out) {
    constexpr double kInt64Edge = 9223372036854775808.0;  // 2^63
    if (!std::isfinite(number)) return append_null(out);
    if (std::trunc(number) == number && number >= -kInt64Edge && number < kInt64Edge) return append_number(static_cast<std::int64_t>(number), out);
    constexpr std::size_t kMost = 32;
    auto* at = out.room(kMost);
    auto* end = std::to_chars(at, at + kMost, number).ptr;
    out.written_to(end);
    if (std::string_view(at, end).find_first_of(".e") == std::string_view::npos) out.append(".0");
  }
};

struct Truth : NullText {
  static void append(bool value, TextBuffer& out) { out.append(value ? std::string_view("true") : std::string_view("false")); }
};

struct Text : NullText {
  static void append(std::string_view text, TextBuffer& out) { append_json_text(text, out); }
};

// Everything else.
class OtherTexts final : public CellTexts {
 public:
  explicit OtherTexts(Column column) : column_(std::move(column)) {}
  void append(std::int64_t row, TextBuffer& out) const override { out.append(write_json(cell_json(*column_, row))); }

 private:
  const Column column_;
};

class TimeTexts final : public CellTexts {
 public:
  explicit TimeTexts(Column column) : column_(std::move(column)) {}
  void append(std::int64_t row, TextBuffer& out) const override {
    if (column_->IsNull(row)) return NullText::append_null(out);
    out.append('"');
    out.append(time_text(*column_, row));
    out.append('"');
  }

 private:
  const Column column_;
};

template <class Array, class Text>
Texts made(Column column) {
  return std::make_unique<ValueTexts<Array, Text>>(std::move(column));
}

}  // namespace

void append_json_text(std::string_view text, TextBuffer& out) {
  if (std::ranges::none_of(text, is_special)) {
    auto* at = out.room(text.size() + 2);
    *at++ = '"';
    std::memcpy(at, text.data(), text.size());
    at += text.size();
    *at++ = '"';
    return out.written_to(at);
  }
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(text)) return append_json_text(to_utf8(text), out);
  constexpr std::size_t kMostOfACharacter = 6;  // "\u001f"
  auto* at = out.room(kMostOfACharacter * text.size() + 2);
  *at++ = '"';
  for (char c : text) {
    if (is_special(c) && static_cast<unsigned char>(c) < 0x80)
      at = append_escaped(c, at);
    else
      *at++ = c;
  }
  *at++ = '"';
  out.written_to(at);
}

Texts json_texts(Column column) {
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
    case Id::FLOAT: return made<arrow::FloatArray, Number>(std::move(column));
    case Id::DOUBLE: return made<arrow::DoubleArray, Number>(std::move(column));
    case Id::STRING: return made<arrow::StringArray, Text>(std::move(column));
    case Id::LARGE_STRING: return made<arrow::LargeStringArray, Text>(std::move(column));
    case Id::STRING_VIEW: return made<arrow::StringViewArray, Text>(std::move(column));
    case Id::DATE32:
    case Id::DATE64:
    case Id::TIMESTAMP: return std::make_unique<TimeTexts>(std::move(column));
    case Id::DICTIONARY: {
      auto values = json_texts(static_cast<const arrow::DictionaryArray&>(*column).dictionary());
      return std::make_unique<NumberedTexts<NullText>>(std::move(column), std::move(values));
    }
    default: return std::make_unique<OtherTexts>(std::move(column));
  }
}

}  // namespace lo::dataset
