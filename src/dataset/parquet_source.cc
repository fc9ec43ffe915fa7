#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/page_index.h>
#include <parquet/statistics.h>
#include <concepts>

#include "dataset/arrow_error.h"
#include "dataset/parquet_counts.h"
#include "dataset/parquet_rows.h"
#include "dataset/side_by_side.h"
#include "dataset/table_source.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kMostRows = std::int64_t{1} << 48;

void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) add_leaves(child, leaves);
}

bool has_bounds(const arrow::DataType& type) {
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
json::value value_of(std::floating_point auto number) { return static_cast<double>(number); }
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

Result<std::shared_ptr<const TableShape>> shape_in(parquet::arrow::FileReader& reader) {
  auto shape = std::make_shared<TableShape>();
  LO_ARROW_TRY(reader.GetSchema(&shape->schema), "read the table's schema");
  shape->footer = reader.parquet_reader()->metadata();
  auto& first_rows = shape->first_rows;
  first_rows = {0};
  for (int group = 0; group < shape->footer->num_row_groups(); ++group) {
    auto rows = shape->footer->RowGroup(group)->num_rows();
    if (rows < 0 || rows > kMostRows - first_rows.back()) return fail(Code::corrupt, "the table is damaged: it says that it has impossibly many rows");
    first_rows.push_back(first_rows.back() + rows);
  }
  return shape;
}

class ParquetSource final : public TableSource {
 public:
  Status open(const std::filesystem::path& path, std::shared_ptr<const TableShape> known) {
    LO_ARROW_ASSIGN(file_, arrow::io::ReadableFile::Open(path.string()), "open the table");
    parquet::arrow::FileReaderBuilder builder;
    LO_ARROW_TRY(builder.Open(file_, parquet::default_reader_properties(), known ? known->footer : nullptr), "read the table");
    LO_ARROW_ASSIGN(reader_, builder.Build(), "read the table");
    shape_ = std::move(known);
    if (!shape_) {
      LO_ASSIGN(shape_, shape_in(*reader_));
    }
    return {};
  }

  std::optional<Bounds> bounds(int group, int index) const override {
    const auto& field = reader_->manifest().schema_fields.at(static_cast<std::size_t>(index));
    if (!field.is_leaf() || !has_bounds(*shape_->schema->field(index)->type())) return std::nullopt;
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
    if (batch->num_rows() != shape_->first_rows.at(at + 1) - shape_->first_rows.at(at)) return fail(Code::corrupt, "the table is damaged: it has not as many rows as it says");
    return batch;
  }

  // Columns are unpacked side by side.
  Result<std::shared_ptr<arrow::RecordBatch>> read_rows(int group, std::int64_t from, std::int64_t count, const std::vector<int>& indexes) override {
    auto index = reader_->parquet_reader()->GetPageIndexReader();
    auto pages = index ? index->RowGroup(group) : nullptr;
    auto row_group = shape_->footer->RowGroup(group);
    std::vector<Column> columns;
    for (int field : indexes) columns.push_back(find_column(field, *row_group, pages.get()));
    auto read = [&](int i) {
      auto& column = columns[static_cast<std::size_t>(i)];
      if (column.pages) column.rows = read_pages(column, from, count);
    };
    side_by_side(static_cast<int>(columns.size()), read);
    for (auto& column : columns)
      if (!column.pages) column.rows = read_slice(group, from, count, column.index);
    return batch_of(std::move(columns), count);
  }

  Result<std::optional<GroupCounts>> count(int group, int index) override {
    const auto& field = reader_->manifest().schema_fields.at(static_cast<std::size_t>(index));
    const auto& type = shape_->schema->field(index)->type();
    if (!field.is_leaf() || !reads_rows(*shape_->footer->schema()->Column(field.column_index), *type)) return std::nullopt;
    return count_by_dictionary(*reader_->parquet_reader()->RowGroup(group), field.column_index, type);
  }

 private:
  using Pages = parquet::RowGroupPageIndexReader;

  struct Column {
    int index = 0;  // of the field
    std::shared_ptr<arrow::Field> field;
    const parquet::ColumnDescriptor* descriptor = nullptr;
    std::shared_ptr<parquet::OffsetIndex> pages;  // null where rows cannot be read by them
    std::unique_ptr<parquet::ColumnChunkMetaData> chunk;
    Result<std::shared_ptr<arrow::Array>> rows;
  };

  Column find_column(int index, const parquet::RowGroupMetaData& group, Pages* pages) const {
    Column column;
    column.index = index;
    column.field = shape_->schema->field(index);
    const auto& field = reader_->manifest().schema_fields.at(static_cast<std::size_t>(index));
    if (!field.is_leaf() || pages == nullptr) return column;
    column.descriptor = shape_->footer->schema()->Column(field.column_index);
    if (!reads_rows(*column.descriptor, *column.field->type())) return column;
    column.pages = pages->GetOffsetIndex(field.column_index);
    column.chunk = group.ColumnChunk(field.column_index);
    return column;
  }

  Result<std::shared_ptr<arrow::Array>> read_pages(const Column& column, std::int64_t from, std::int64_t count) const {
    return guarded("read the table", [&] {
      return dataset::read_rows({file_.get(), column.descriptor, column.chunk.get(), column.pages.get()}, column.field->type(), from, count);
    });
  }

  static Result<std::shared_ptr<arrow::RecordBatch>> batch_of(std::vector<Column> columns, std::int64_t rows) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (auto& column : columns) {
      if (!column.rows) return fail(column.rows.error());
      fields.push_back(std::move(column.field));
      arrays.push_back(*std::move(column.rows));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(arrays));
  }

  Result<std::shared_ptr<arrow::Array>> read_slice(int group, std::int64_t from, std::int64_t count, int index) {
    LO_ASSIGN(auto all, read(group, {index}));
    if (all->num_columns() != 1 || all->num_rows() < from + count) return fail(Code::corrupt, "the table is damaged: it has not as many rows as it says");
    return all->column(0)->Slice(from, count);
  }

  std::shared_ptr<arrow::io::ReadableFile> file_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_parquet(const std::filesystem::path& path, std::shared_ptr<const TableShape> known) {
  auto source = std::make_unique<ParquetSource>();
  LO_TRY(source->open(path, std::move(known)));
  return source;
}

}  // namespace lo::dataset
