#include "dataset/json_fields.h"

#include <arrow/type.h>

#include <numeric>

namespace lo::dataset {
namespace {

using TypeOf = std::shared_ptr<arrow::DataType> (*)(const JsonField&);

std::vector<std::shared_ptr<arrow::Field>> arrow_fields(const std::vector<JsonField>& fields, TypeOf type_of) {
  std::vector<std::shared_ptr<arrow::Field>> made;
  for (const auto& field : fields) made.push_back(arrow::field(field.name, type_of(field)));
  return made;
}

std::shared_ptr<arrow::DataType> type_with(const JsonField& field, TypeOf type_of) {
  switch (field.kind) {
    case JsonColumnKind::boolean: return arrow::boolean();
    case JsonColumnKind::integer: return arrow::int64();
    case JsonColumnKind::number: return arrow::float64();
    case JsonColumnKind::list: return arrow::list(type_of(field.parts.front()));
    case JsonColumnKind::object: return arrow::struct_(arrow_fields(field.parts, type_of));
    case JsonColumnKind::text:
    case JsonColumnKind::empty_object:
    case JsonColumnKind::asked: return arrow::utf8();
  }
  std::unreachable();
}

}  // namespace

std::shared_ptr<arrow::DataType> arrow_type(const JsonField& field) {
  return field.kind == JsonColumnKind::asked ? arrow_type(field.asked) : type_with(field, arrow_type);
}

std::shared_ptr<arrow::DataType> gathered_type(const JsonField& field) { return type_with(field, gathered_type); }

std::shared_ptr<arrow::Schema> schema_of(const std::vector<JsonField>& fields) { return arrow::schema(arrow_fields(fields, arrow_type)); }

std::size_t leaves(const std::vector<JsonField>& fields) {
  return std::accumulate(fields.begin(), fields.end(), std::size_t{0},
                         [](std::size_t sum, const JsonField& field) { return sum + 1 + leaves(field.parts); });
}

}  // namespace lo::dataset
