#include "dataset/table_file.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "dataset/arrow_error.h"
#include "dataset/fields.h"
#include "dataset/table_cache.h"
#include "dataset/types.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kPartRows = 2 * 1024;
constexpr std::size_t kColumnChunkBytes = 500;  // that the description of a column in a row group takes in memory, about

std::size_t weight_of(const TableShape& shape) {
  auto columns = static_cast<std::size_t>(shape.schema->num_fields());
  return (shape.first_rows.size() * columns + 1) * kColumnChunkBytes;
}

// Of all that it keeps in memory, also where it is a part of something larger.
std::size_t bytes_of(const arrow::Array& column) { return static_cast<std::size_t>(arrow::util::TotalBufferSize(column)); }

}  // namespace

std::vector<store::Field> fields_of(const arrow::Schema& schema) {
  std::vector<store::Field> fields;
  for (const auto& field : schema.fields()) fields.push_back({field->name(), std::string(type_word(*field->type()))});
  return fields;
}

Result<TableReader> TableReader::open(const std::filesystem::path& path, TableCache* cache) {
  return guarded("read the table", [&]() -> Result<TableReader> {
    TableReader reader(path, cache);
    if (cache != nullptr) reader.shape_ = cache->shapes.find(path.string()).value_or(nullptr);
    if (!reader.shape_) LO_TRY(reader.open_source());
    return reader;
  });
}

Result<TableReader> TableReader::again() const {
  return guarded("read the table", [&]() -> Result<TableReader> {
    TableReader reader(path_, cache_);
    reader.shape_ = shape_;
    LO_TRY(reader.open_source());
    return reader;
  });
}

Status TableReader::open_source() {
  bool is_arrow = shape_ ? !shape_->footer : is_arrow_file(path_);
  LO_ASSIGN(source_, is_arrow ? open_arrow(path_) : open_parquet(path_, shape_));
  if (!shape_ && cache_ != nullptr) cache_->shapes.put(path_.string(), source_->shape(), weight_of(*source_->shape()));
  if (!shape_) shape_ = source_->shape();
  return {};
}

Result<TableSource*> TableReader::source() {
  if (!source_) LO_TRY(open_source());
  return source_.get();
}

int TableReader::group_of(std::int64_t row) const {
  return static_cast<int>(std::ranges::upper_bound(shape_->first_rows, row) - shape_->first_rows.begin()) - 1;
}

std::optional<Bounds> TableReader::bounds(int group, int index) {
  auto source = this->source();  // what is wrong with it is told by the reading that follows
  return source ? (*source)->bounds(group, index) : std::nullopt;
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

std::vector<int> TableReader::all_or(const std::optional<std::vector<int>>& indexes) const {
  if (indexes) return *indexes;
  std::vector<int> all(static_cast<std::size_t>(schema()->num_fields()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Result<std::shared_ptr<arrow::RecordBatch>> TableReader::read(int group, const std::optional<std::vector<int>>& indexes) {
  return guarded("read the table", [&]() -> Result<std::shared_ptr<arrow::RecordBatch>> {
    LO_ASSIGN(auto* source, this->source());
    return source->read(group, all_or(indexes));
  });
}

Result<GroupCounts> TableReader::count(int group, int index) {
  return guarded("read the table", [&]() -> Result<GroupCounts> {
    LO_ASSIGN(auto* source, this->source());
    LO_ASSIGN(auto counts, source->count(group, index));
    if (counts) return *std::move(counts);
    LO_ASSIGN(auto batch, source->read(group, {index}));
    LO_ARROW_ASSIGN(auto counted, arrow::compute::ValueCounts(batch->column(0)->Slice(0)), "count values");
    const auto& numbers = static_cast<const arrow::Int64Array&>(*counted->field(1));
    return GroupCounts{.values = counted->field(0), .counts = {numbers.raw_values(), numbers.raw_values() + numbers.length()}};
  });
}

Result<std::optional<GroupCounts>> TableReader::count_listed(int group, int index) {
  return guarded("read the table", [&]() -> Result<std::optional<GroupCounts>> {
    LO_ASSIGN(auto* source, this->source());
    return source->count(group, index);
  });
}

Result<TableReader::Part> TableReader::read_part(std::int64_t row, const std::optional<std::vector<int>>& indexes) {
  return guarded("read the table", [&]() -> Result<Part> {
    auto group = group_of(row);
    auto from = (row - first_row(group)) / kPartRows * kPartRows;
    auto count = std::min(kPartRows, first_row(group + 1) - first_row(group) - from);
    LO_ASSIGN(auto batch, read_cached(group, from, count, all_or(indexes)));
    return Part{.first_row = first_row(group) + from, .batch = std::move(batch)};
  });
}

// The columns that are not known are read at once.
Result<std::shared_ptr<arrow::RecordBatch>> TableReader::read_cached(int group, std::int64_t from, std::int64_t count, const std::vector<int>& indexes) {
  auto key_of = [&](int index) { return fmt::format("{}:{}:{}:{}", path_.string(), group, from, index); };
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  std::vector<int> unknown;
  for (int index : indexes) {
    fields.push_back(schema()->field(index));
    columns.push_back(cache_ == nullptr ? nullptr : cache_->columns.find(key_of(index)).value_or(nullptr));
    if (!columns.back()) unknown.push_back(index);
  }
  if (!unknown.empty()) {
    LO_ASSIGN(auto* source, this->source());
    LO_ASSIGN(auto read, source->read_rows(group, from, count, unknown));
    int next = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i]) continue;
      columns[i] = read->column(next++);
      if (cache_ != nullptr) cache_->columns.put(key_of(indexes[i]), columns[i], bytes_of(*columns[i]));
    }
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(columns));
}

}  // namespace lo::dataset
