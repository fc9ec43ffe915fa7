#include "dataset/project.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <algorithm>

#include "base/id.h"
#include "dataset/fields.h"
#include "dataset/rewrite.h"

namespace lo::dataset {
namespace {

std::vector<int> indexes_of(std::span<const std::string> names, const arrow::Schema& schema) {
  std::vector<int> indexes;
  for (const auto& name : names) indexes.push_back(schema.GetFieldIndex(name));
  return indexes;
}

std::shared_ptr<arrow::Schema> selected(const arrow::Schema& schema, const std::vector<int>& indexes) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (int index : indexes) fields.push_back(schema.field(index)->RemoveMetadata());
  return arrow::schema(std::move(fields));
}

}  // namespace

Status check_projection(std::span<const std::string> names, std::span<const store::Field> fields) {
  if (names.empty()) return fail_field(Code::unacceptable, "/names", "names is empty: it lists the fields to keep");
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto pointer = fmt::format("/names/{}", i);
    LO_TRY(check_field(names[i], fields, pointer));
    if (std::ranges::count(names.first(i), names[i]) > 0)
      return fail_field(Code::unacceptable, pointer, fmt::format("the field '{}' is named twice", names[i]));
  }
  return {};
}

Result<store::Manifest> project(const std::filesystem::path& from, std::span<const std::string> names,
                                const std::filesystem::path& to, std::stop_token stop) {
  LO_ASSIGN(auto reader, TableReader::open(from));
  LO_TRY(check_projection(names, reader.fields()));
  auto indexes = indexes_of(names, *reader.schema());
  LO_ASSIGN(auto writer, TableWriter::open(to, selected(*reader.schema(), indexes)));
  auto unchanged = [](const std::shared_ptr<arrow::RecordBatch>& batch, std::int64_t) { return Result<std::shared_ptr<arrow::RecordBatch>>(batch); };
  return rewrite(reader, indexes, unchanged, std::move(writer), "the projection", std::move(stop));
}

}  // namespace lo::dataset
