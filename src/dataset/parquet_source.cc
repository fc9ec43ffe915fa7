#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>
#include <concepts>

#include "dataset/arrow_error.h"
#include "dataset/table_source.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kMostRows = std::int64_t{1} << 48;

void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) add_leaves(child, leaves);
}

bool has_order(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING: return true;
    default: return false;
  }
}

json::value value_of(std::integral auto number) { return std::int64_t{number}; }
json::value value_of(std::floating_point auto number) { return double{number}; }
json::value value_of(const parquet::ByteArray& text) { return json::string(std::string_view(text)); }

template <class Physical>
Bounds bounds_in(const parquet::Statistics& statistics) {
  const auto& typed = static_cast<const parquet::TypedStatistics<Physical>&>(statistics);
  return {.least = value_of(typed.min()), .greatest = value_of(typed.max())};
}

std::optional<Bounds> bounds_of(const parquet::Statistics& statistics) {
  if (!statistics.HasMinMax()) return std::nullopt;
  switch (statistics.physical_type()) {
    case parquet::Type::INT32: return bounds_in<parquet::Int32Type>(statistics);
    case parquet::Type::INT64: return bounds_in<parquet::Int64Type>(statistics);
    case parquet::Type::FLOAT: return bounds_in<parquet::FloatType>(statistics);
    case parquet::Type::DOUBLE: return bounds_in<parquet::DoubleType>(statistics);
    case parquet::Type::BYTE_ARRAY: return bounds_in<parquet::ByteArrayType>(statistics);
    default: return std::nullopt;
  }
}

class ParquetSource final : public TableSource {
 public:
  Status open(const std::filesystem::path& path) {
    LO_ARROW_ASSIGN(auto file, arrow::io::ReadableFile::Open(path.string()), "open the table");
    LO_ARROW_ASSIGN(reader_, parquet::arrow::OpenFile(file, arrow::default_memory_pool()), "read the table");
    LO_ARROW_TRY(reader_->GetSchema(&schema_), "read the table's schema");
    auto metadata = reader_->parquet_reader()->metadata();
    first_rows_ = {0};
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      auto rows = metadata->RowGroup(group)->num_rows();
      if (rows < 0 || rows > kMostRows - first_rows_.back()) return fail(Code::corrupt, "the table is damaged: it says that it has impossibly many rows");
      first_rows_.push_back(first_rows_.back() + rows);
    }
    return {};
  }

  std::optional<Bounds> bounds(int group, int index) const override {
    const auto& field = reader_->manifest().schema_fields.at(static_cast<std::size_t>(index));
    if (!field.is_leaf() || !has_order(*schema_->field(index)->type())) return std::nullopt;
    auto column = reader_->parquet_reader()->metadata()->RowGroup(group)->ColumnChunk(field.column_index);
    auto statistics = column->is_stats_set() ? column->statistics() : nullptr;
    return statistics == nullptr ? std::nullopt : bounds_of(*statistics);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::vector<int>& indexes) override {
    std::vector<int> leaves;
    for (int index : indexes) add_leaves(reader_->manifest().schema_fields.at(static_cast<std::size_t>(index)), leaves);
    LO_ARROW_ASSIGN(auto table, reader_->ReadRowGroup(group, leaves), "read the table");
    LO_ARROW_ASSIGN(auto batch, table->CombineChunksToBatch(), "read the table");
    auto at = static_cast<std::size_t>(group);
    if (batch->num_rows() != first_rows_.at(at + 1) - first_rows_.at(at)) return fail(Code::corrupt, "the table is damaged: it has not as many rows as it says");
    return batch;
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> reader_;
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_parquet(const std::filesystem::path& path) {
  auto source = std::make_unique<ParquetSource>();
  LO_TRY(source->open(path));
  return source;
}

}  // namespace lo::dataset
