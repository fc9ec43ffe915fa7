// What a text is as a value of a type: the one place where text becomes a value. Pure.
#pragma once

#include <arrow/builder.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dataset/types.h"

namespace lo::dataset {

// The first cell that does not convert.
struct BadCell {
  std::int64_t row = 0;  // from 0, in the array
  std::string value;
};

// What each type makes of a trimmed text that is not empty.
struct NumberText {
  using Builder = arrow::DoubleBuilder;
  static std::optional<double> parse(std::string_view text);
};
struct IntegerText {
  using Builder = arrow::Int64Builder;
  static std::optional<std::int64_t> parse(std::string_view text);
};
struct BooleanText {
  using Builder = arrow::BooleanBuilder;
  static std::optional<bool> parse(std::string_view text);
};
struct TimestampText {
  using Builder = arrow::TimestampBuilder;
  static std::optional<std::int64_t> parse(std::string_view text);
};

// Without white space at its ends.
inline std::string_view trim(std::string_view text) {
  auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Whether a text is of `type`; an empty one is of every type.
bool parses_as(std::string_view text, Type type);

// Whether a number would lose the zeros that it begins with ("02139").
inline bool has_leading_zero(std::string_view text) {
  auto at = text.starts_with('-') || text.starts_with('+') ? 1u : 0u;
  return text.size() > at + 1 && text[at] == '0' && text[at + 1] >= '0' && text[at + 1] <= '9';
}

// A number that says all that its text does.
template <class Parser>
struct Lossless {
  using Builder = typename Parser::Builder;
  static decltype(Parser::parse({})) parse(std::string_view text) {
    if (has_leading_zero(text)) return std::nullopt;
    return Parser::parse(text);
  }
};

// Arrow's builders fail for want of memory alone here.
inline void require(const arrow::Status& status) {
  if (!status.ok()) throw std::bad_alloc();
}

// The texts text_at(0) … text_at(size - 1) as `Parser` reads them; an empty one is null.
template <class Parser, class TextAt, class... Arguments>
std::expected<std::shared_ptr<arrow::Array>, BadCell> parse_texts_as(std::int64_t size, const TextAt& text_at, Arguments&&... arguments) {
  typename Parser::Builder builder(std::forward<Arguments>(arguments)...);
  require(builder.Reserve(size));
  for (std::int64_t row = 0; row < size; ++row) {
    auto text = trim(text_at(row));
    if (text.empty()) {
      builder.UnsafeAppendNull();
    } else if (auto value = Parser::parse(text)) {
      builder.UnsafeAppend(*value);
    } else {
      return std::unexpected(BadCell{row, std::string(text_at(row))});
    }
  }
  std::shared_ptr<arrow::Array> array;
  require(builder.Finish(&array));
  return array;
}

// The same for any type but string; `lossless`: a number with leading zeros is none. Throws std::bad_alloc when memory ends.
template <class TextAt>
std::expected<std::shared_ptr<arrow::Array>, BadCell> parse_texts(std::int64_t size, const TextAt& text_at, Type type, bool lossless = false) {
  switch (type) {
    case Type::number:
      return lossless ? parse_texts_as<Lossless<NumberText>>(size, text_at) : parse_texts_as<NumberText>(size, text_at);
    case Type::integer:
      return lossless ? parse_texts_as<Lossless<IntegerText>>(size, text_at) : parse_texts_as<IntegerText>(size, text_at);
    case Type::boolean: return parse_texts_as<BooleanText>(size, text_at);
    case Type::timestamp: return parse_texts_as<TimestampText>(size, text_at, arrow_type(type), arrow::default_memory_pool());
    case Type::string: break;
  }
  std::unreachable();
}

}  // namespace lo::dataset
