#include "dataset/table_file.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>

#include "dataset/arrow_error.h"
#include "dataset/fields.h"
#include "dataset/types.h"

namespace lo::dataset {

std::vector<store::Field> fields_of(const arrow::Schema& schema) {
  std::vector<store::Field> fields;
  for (const auto& field : schema.fields()) fields.push_back({field->name(), std::string(type_word(*field->type()))});
  return fields;
}

Result<TableReader> TableReader::open(const std::filesystem::path& path) {
  return guarded("read the table", [&]() -> Result<TableReader> {
    LO_ASSIGN(auto source, is_arrow_file(path) ? open_arrow(path) : open_parquet(path));
    return TableReader(std::move(source));
  });
}

std::vector<store::Field> TableReader::fields() const { return fields_of(*schema()); }

Result<std::optional<std::vector<int>>> TableReader::indexes_of(const std::vector<std::string>& names, const std::string& pointer) const {
  if (names.empty()) return std::nullopt;
  auto known = fields();
  std::vector<int> indexes;
  for (const auto& name : names) {
    if (name == "_id") continue;
    LO_TRY(check_field(name, known, pointer));
    auto index = schema()->GetFieldIndex(name);
    if (std::ranges::find(indexes, index) == indexes.end()) indexes.push_back(index);
  }
  return indexes;
}

Result<std::shared_ptr<arrow::RecordBatch>> TableReader::read(int group, const std::optional<std::vector<int>>& indexes) {
  using Batch = std::shared_ptr<arrow::RecordBatch>;
  return guarded("read the table", [&]() -> Result<Batch> {
    if (indexes) return source_->read(group, *indexes);
    std::vector<int> all(static_cast<std::size_t>(schema()->num_fields()));
    std::iota(all.begin(), all.end(), 0);
    return source_->read(group, all);
  });
}

}  // namespace lo::dataset
