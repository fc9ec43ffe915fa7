#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>

#include "dataset/arrow_error.h"
#include "dataset/table_source.h"

namespace lo::dataset {
namespace {

void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) add_leaves(child, leaves);
}

class ParquetSource final : public TableSource {
 public:
  Status open(const std::filesystem::path& path) {
    LO_ARROW_ASSIGN(auto file, arrow::io::ReadableFile::Open(path.string()), "open the table");
    LO_ARROW_ASSIGN(reader_, parquet::arrow::OpenFile(file, arrow::default_memory_pool()), "read the table");
    LO_ARROW_TRY(reader_->GetSchema(&schema_), "read the table's schema");
    auto metadata = reader_->parquet_reader()->metadata();
    first_rows_ = {0};
    for (int group = 0; group < metadata->num_row_groups(); ++group)
      first_rows_.push_back(first_rows_.back() + metadata->RowGroup(group)->num_rows());
    return {};
  }

  Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::vector<int>& indexes) override {
    std::vector<int> leaves;
    for (int index : indexes) add_leaves(reader_->manifest().schema_fields.at(static_cast<std::size_t>(index)), leaves);
    LO_ARROW_ASSIGN(auto table, reader_->ReadRowGroup(group, leaves), "read the table");
    LO_ARROW_ASSIGN(auto batch, table->CombineChunksToBatch(), "read the table");
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
