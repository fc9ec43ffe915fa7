#include "dataset/convert.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <fmt/format.h>

#include "dataset/cell.h"
#include "dataset/shown.h"

namespace lo::dataset {
namespace {

using Converted = std::expected<std::shared_ptr<arrow::Array>, BadCell>;

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
  std::shared_ptr<arrow::Array> array;
  require(builder.Finish(&array));
  return array;
}

}  // namespace

Converted convert(const std::shared_ptr<arrow::Array>& column, Type type) {
  bool is_text = column->type_id() == arrow::Type::STRING;
  if (column->type()->Equals(arrow_type(type)) && !(is_text && column->null_count() > 0)) return column;
  auto texts = is_text && type != Type::string ? column : texts_of(*column, type);
  if (type == Type::string) return texts;
  const auto& strings = static_cast<const arrow::StringArray&>(*texts);
  return parse_texts(strings.length(), [&](std::int64_t row) { return strings.IsNull(row) ? std::string_view() : strings.GetView(row); }, type);
}

std::string describe_value(const BadCell& cell, std::string_view field, Type type) {
  auto article = type == Type::integer ? "an" : "a";
  return fmt::format("field {}: {} is not {} {}", shown(field), shown(cell.value), article, to_string(type));
}

std::string describe(const BadCell& cell, std::string_view field, Type type, std::int64_t rows_before) {
  return fmt::format("row {}, {}", rows_before + cell.row + 1, describe_value(cell, field, type));
}

}  // namespace lo::dataset
