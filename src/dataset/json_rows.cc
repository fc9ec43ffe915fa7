#include "dataset/json_rows.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "dataset/cell.h"
#include "dataset/convert.h"
#include "dataset/shown.h"
#include "dataset/text_values.h"

namespace lo::dataset {
namespace {

template <class Builder>
Builder& as(arrow::ArrayBuilder* builder) {
  return static_cast<Builder&>(*builder);
}

// A number that has a fraction or an exponent, as text that IntegerText reads if it is whole.
std::string whole_text(std::string_view number) {
  auto dot = number.find('.');
  if (dot != number.npos && number.find_first_not_of('0', dot + 1) == number.npos) return std::string(number.substr(0, dot));
  auto value = NumberText::parse(number);
  return value ? number_text(*value) : std::string(number);
}

// What convert.h makes a value of the type from.
std::string text_for(JsonTokens value, Type type) {
  const auto& token = value.front();
  bool is_text = type == Type::string;
  if (token.kind == JsonKind::list || token.kind == JsonKind::object) return json_text(value);
  if (token.kind == JsonKind::boolean && !is_text) return token.text == "true" ? "1" : "0";
  if (token.kind == JsonKind::number && (type == Type::integer || type == Type::boolean)) return whole_text(token.text);
  return std::string(token.text);
}

}  // namespace

JsonRows::JsonRows(const JsonPlan& plan) : plan_(plan) {
  for (const auto& field : plan.fields) {
    require(arrow::MakeBuilder(arrow::default_memory_pool(), gathered_type(field), &builders_.emplace_back()));
    add_column(row_, field, builders_.back().get());
  }
}

void JsonRows::add_column(Members& members, const JsonField& field, arrow::ArrayBuilder* builder) {
  members.columns.push_back(column_of(field, builder));
  members.names.add(field.name);
}

JsonRows::Column JsonRows::column_of(const JsonField& field, arrow::ArrayBuilder* builder) {
  Column column{.field = &field, .builder = builder};
  if (field.kind == JsonColumnKind::list) add_column(column.members, field.parts.front(), as<arrow::ListBuilder>(builder).value_builder());
  if (field.kind == JsonColumnKind::object)
    for (std::size_t i = 0; i < field.parts.size(); ++i)
      add_column(column.members, field.parts[i], as<arrow::StructBuilder>(builder).field_builder(static_cast<int>(i)));
  return column;
}

std::optional<std::string> JsonRows::add(JsonTokens object) {
  append_members(row_, object);
  ++rows_;
  if (misfit_) return "it does not fit the plan";
  return std::move(wrong_);
}

void JsonRows::append_members(Members& members, JsonTokens object) {
  ++members.objects;
  members.names.begin_object();
  std::size_t appended = 0;
  for (auto value : JsonParts(object)) {
    auto index = members.names.find(value.front().key);
    misfit_ = misfit_ || !index;
    if (misfit_ || wrong_) return;
    auto& column = members.columns[*index];
    if (std::exchange(column.last_object, members.objects) == members.objects)
      wrong_ = fmt::format("the field {} is there twice", shown(value.front().key));
    else
      append(column, value);
    ++appended;
  }
  if (appended == members.columns.size()) return;
  for (auto& column : members.columns)
    if (column.last_object != members.objects) require(column.builder->AppendNull());
}

void JsonRows::append(Column& column, JsonTokens value) {
  const auto& token = value.front();
  auto* builder = column.builder;
  if (token.kind == JsonKind::null) return require(builder->AppendNull());
  auto fits = [&](JsonKind kind) {
    misfit_ = misfit_ || token.kind != kind;
    return token.kind == kind;
  };
  switch (column.field->kind) {
    case JsonColumnKind::boolean:
      if (fits(JsonKind::boolean)) require(as<arrow::BooleanBuilder>(builder).Append(token.text == "true"));
      return;
    case JsonColumnKind::integer:
    case JsonColumnKind::number: return append_number(column, token);
    case JsonColumnKind::text:
      if (fits(JsonKind::text)) require(as<arrow::StringBuilder>(builder).Append(token.text));
      return;
    case JsonColumnKind::list:
      if (!fits(JsonKind::list)) return;
      require(as<arrow::ListBuilder>(builder).Append());
      for (auto item : JsonParts(value))
        if (!misfit_) append(column.members.columns.front(), item);
      return;
    case JsonColumnKind::object:
      if (!fits(JsonKind::object)) return;
      require(as<arrow::StructBuilder>(builder).Append());
      return append_members(column.members, value);
    case JsonColumnKind::empty_object:
      if (fits(JsonKind::object) && value.size() > 1) misfit_ = true;
      if (!misfit_) require(as<arrow::StringBuilder>(builder).Append("{}"));
      return;
    case JsonColumnKind::asked: return require(as<arrow::StringBuilder>(builder).Append(text_for(value, column.field->asked)));
  }
}

void JsonRows::append_number(Column& column, const JsonToken& token) {
  bool is_integer = token.kind == JsonKind::integer;
  if (column.field->kind == JsonColumnKind::integer) {
    auto value = is_integer ? IntegerText::parse(token.text) : std::nullopt;
    misfit_ = misfit_ || !value;
    return require(as<arrow::Int64Builder>(column.builder).Append(value.value_or(0)));
  }
  auto value = is_integer || token.kind == JsonKind::number ? NumberText::parse(token.text) : std::nullopt;
  misfit_ = misfit_ || !value || (is_integer && !fits_number(token.text, token.kind));
  require(as<arrow::DoubleBuilder>(column.builder).Append(value.value_or(0)));
}

std::expected<std::shared_ptr<arrow::RecordBatch>, JsonFault> JsonRows::finish() {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  std::optional<JsonFault> fault;
  for (std::size_t i = 0; i < builders_.size(); ++i) {
    const auto& field = plan_.fields[i];
    std::shared_ptr<arrow::Array> array;
    require(builders_[i]->Finish(&array));
    if (field.kind == JsonColumnKind::asked && field.asked != Type::string) {
      auto converted = convert(array, field.asked);
      if (!converted && (!fault || converted.error().row < fault->row))
        fault = JsonFault{.row = converted.error().row, .line = {}, .detail = describe_value(converted.error(), field.name, field.asked)};
      array = converted.value_or(nullptr);
    }
    columns.push_back(std::move(array));
  }
  if (fault) return std::unexpected(*std::move(fault));
  return arrow::RecordBatch::Make(plan_.schema, rows_, std::move(columns));
}

}  // namespace lo::dataset
