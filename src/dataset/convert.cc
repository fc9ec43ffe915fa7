#include "dataset/convert.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/value_parsing.h>
#include <fmt/format.h>
#include <charconv>
#include <new>
#include <optional>

#include "dataset/cell.h"
#include "dataset/shown.h"

namespace lo::dataset {
namespace {

using Converted = std::expected<std::shared_ptr<arrow::Array>, BadCell>;

// Arrow's builders fail for want of memory alone here.
void require(const arrow::Status& status) {
  if (!status.ok()) throw std::bad_alloc();
}

template <class Builder>
std::shared_ptr<arrow::Array> finish(Builder& builder) {
  std::shared_ptr<arrow::Array> array;
  require(builder.Finish(&array));
  return array;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// from_chars takes no plus sign.
std::string_view without_plus(std::string_view text) {
  return text.size() > 1 && text.front() == '+' && text[1] != '-' ? text.substr(1) : text;
}

template <class T>
std::optional<T> whole(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), same);
}

// What each type makes of a trimmed text that is not empty.
struct Number {
  using Builder = arrow::DoubleBuilder;
  static std::optional<double> parse(std::string_view text) { return whole<double>(without_plus(text)); }
};
struct Integer {
  using Builder = arrow::Int64Builder;
  static std::optional<std::int64_t> parse(std::string_view text) { return whole<std::int64_t>(without_plus(text)); }
};
struct Boolean {
  using Builder = arrow::BooleanBuilder;
  static std::optional<bool> parse(std::string_view text) {
    if (text == "1" || equals_ignoring_case(text, "true")) return true;
    if (text == "0" || equals_ignoring_case(text, "false")) return false;
    return std::nullopt;
  }
};
struct Timestamp {
  using Builder = arrow::TimestampBuilder;
  static std::optional<std::int64_t> parse(std::string_view text) {
    std::int64_t micros = 0;
    bool zoned = false;  // an offset is applied by the parser; without one the time is UTC
    if (!arrow::internal::ParseTimestampISO8601(text.data(), text.size(), arrow::TimeUnit::MICRO, &micros, &zoned))
      return std::nullopt;
    return micros;
  }
};

template <class Parser, class... Arguments>
Converted parse_texts(const arrow::StringArray& texts, Arguments&&... arguments) {
  typename Parser::Builder builder(std::forward<Arguments>(arguments)...);
  require(builder.Reserve(texts.length()));
  for (std::int64_t row = 0; row < texts.length(); ++row) {
    auto text = texts.IsNull(row) ? std::string_view() : trim(texts.GetView(row));
    if (text.empty()) {
      builder.UnsafeAppendNull();
    } else if (auto value = Parser::parse(text)) {
      builder.UnsafeAppend(*value);
    } else {
      return std::unexpected(BadCell{row, std::string(texts.GetView(row))});
    }
  }
  return finish(builder);
}

Converted parse_as(const arrow::StringArray& texts, Type type) {
  switch (type) {
    case Type::number: return parse_texts<Number>(texts);
    case Type::integer: return parse_texts<Integer>(texts);
    case Type::boolean: return parse_texts<Boolean>(texts);
    case Type::timestamp: return parse_texts<Timestamp>(texts, arrow_type(type), arrow::default_memory_pool());
    case Type::string: break;
  }
  std::unreachable();
}

// A boolean is "true" as text and 1 as a number.
std::string text_of(const json::value& value, Type target) {
  if (const auto* text = value.if_string()) return std::string(*text);
  if (const auto* number = value.if_double()) return number_text(*number);
  if (const auto* truth = value.if_bool(); truth != nullptr && target != Type::string) return *truth ? "1" : "0";
  return value.is_null() ? "" : json::serialize(value);
}

std::shared_ptr<arrow::Array> texts_of(const arrow::Array& column, Type target) {
  arrow::StringBuilder builder;
  require(builder.Reserve(column.length()));
  for (std::int64_t row = 0; row < column.length(); ++row) require(builder.Append(text_of(cell_json(column, row), target)));
  return finish(builder);
}

}  // namespace

Converted convert(const std::shared_ptr<arrow::Array>& column, Type type) {
  bool is_text = column->type_id() == arrow::Type::STRING;
  if (column->type()->Equals(arrow_type(type)) && !(is_text && column->null_count() > 0)) return column;
  auto texts = is_text && type != Type::string ? column : texts_of(*column, type);
  if (type == Type::string) return texts;
  return parse_as(static_cast<const arrow::StringArray&>(*texts), type);
}

std::string describe_value(const BadCell& cell, std::string_view field, Type type) {
  auto article = type == Type::integer ? "an" : "a";
  return fmt::format("field {}: {} is not {} {}", shown(field), shown(cell.value), article, to_string(type));
}

std::string describe(const BadCell& cell, std::string_view field, Type type, std::int64_t rows_before) {
  return fmt::format("row {}, {}", rows_before + cell.row + 1, describe_value(cell, field, type));
}

bool parses_as(std::string_view text, Type type) {
  text = trim(text);
  if (text.empty() || type == Type::string) return true;
  switch (type) {
    case Type::number: return Number::parse(text).has_value();
    case Type::integer: return Integer::parse(text).has_value();
    case Type::boolean: return Boolean::parse(text).has_value();
    case Type::timestamp: return Timestamp::parse(text).has_value();
    case Type::string: break;
  }
  std::unreachable();
}

}  // namespace lo::dataset
