#include "dataset/cast.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "dataset/convert.h"
#include "dataset/fields.h"
#include "dataset/rewrite.h"

namespace lo::dataset {
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

std::shared_ptr<arrow::Schema> cast_schema(const arrow::Schema& schema, const Types& types) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const auto& field : schema.fields()) {
    auto type = types.find(field->name());
    auto plain = field->RemoveMetadata();
    fields.push_back(type == types.end() ? plain : arrow::field(field->name(), arrow_type(type->second)));
  }
  return arrow::schema(std::move(fields));
}

Result<Batch> cast_batch(const arrow::RecordBatch& batch, const Types& types, const std::shared_ptr<arrow::Schema>& schema,
                         std::int64_t rows_before) {
  auto columns = batch.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& name = batch.column_name(static_cast<int>(i));
    auto type = types.find(name);
    if (type == types.end()) continue;
    auto converted = convert(columns[i], type->second);
    if (!converted)
      return fail_field(Code::unacceptable, member_pointer("/types", name),
                        describe(converted.error(), name, type->second, rows_before));
    columns[i] = *std::move(converted);
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

}  // namespace

Result<Types> parse_types(const json::object& types) {
  Types parsed;
  for (const auto& member : types) {
    std::string field(member.key());
    const auto* word = member.value().if_string();
    if (word == nullptr)
      return fail_field(
          Code::unacceptable, member_pointer("/types", field),
          fmt::format("the type of '{}' is a word such as \"number\", not {}", field, json::serialize(member.value())));
    LO_ASSIGN(parsed[field], parse_type(std::string_view(*word), member_pointer("/types", field)));
  }
  return parsed;
}

Status check_types(const Types& types, std::span<const store::Field> fields) {
  for (const auto& [name, type] : types) LO_TRY(check_field(name, fields, member_pointer("/types", name)));
  return {};
}

Result<store::Manifest> cast(const std::filesystem::path& from, const Types& types, const std::filesystem::path& to,
                             std::stop_token stop) {
  LO_ASSIGN(auto reader, TableReader::open(from));
  LO_TRY(check_types(types, reader.fields()));
  auto schema = cast_schema(*reader.schema(), types);
  LO_ASSIGN(auto writer, TableWriter::open(to, schema));
  auto change = [&](const Batch& batch, std::int64_t first_row) { return cast_batch(*batch, types, schema, first_row); };
  return rewrite(reader, {}, change, std::move(writer), "the conversion", std::move(stop));
}

}  // namespace lo::dataset
