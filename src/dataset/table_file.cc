#include "dataset/table_file.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fcntl.h>
#include <parquet/arrow/writer.h>
#include <algorithm>
#include <cerrno>
#include <numeric>

#include <fmt/format.h>

#include "base/fd.h"
#include "dataset/arrow_error.h"
#include "dataset/fields.h"
#include "dataset/types.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kGroupRows = 64 * 1024;
constexpr std::int64_t kLeastGroupBytes = std::int64_t{2} << 20;
constexpr std::int64_t kMostGroupBytes = std::int64_t{64} << 20;
constexpr std::int64_t kColumnChunkBytes = 16 * 1024;  // below, a column's description outweighs its values

std::int64_t group_bytes_for(int columns) { return std::clamp(columns * kColumnChunkBytes, kLeastGroupBytes, kMostGroupBytes); }

std::shared_ptr<parquet::WriterProperties> file_properties() {
  return parquet::WriterProperties::Builder().compression(arrow::Compression::ZSTD)->compression_level(1)->build();
}

std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties() {
  return parquet::ArrowWriterProperties::Builder().store_schema()->set_use_threads(true)->build();
}

Result<UniqueFd> create(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("cannot make {}", path.filename().string()), errno);
  return fd;
}

}  // namespace

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

TableWriter::TableWriter(std::filesystem::path path, std::shared_ptr<arrow::Schema> schema)
    : path_(std::move(path)), schema_(std::move(schema)), group_target_(group_bytes_for(schema_->num_fields())) {}

TableWriter::TableWriter(TableWriter&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      schema_(std::move(other.schema_)),
      writer_(std::move(other.writer_)),
      group_target_(other.group_target_),
      group_bytes_(other.group_bytes_),
      group_rows_(other.group_rows_),
      rows_(other.rows_) {}

TableWriter::~TableWriter() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

Result<TableWriter> TableWriter::open(const std::filesystem::path& path, std::shared_ptr<arrow::Schema> schema) {
  return guarded("write the table", [&]() -> Result<TableWriter> {
    LO_ASSIGN(auto fd, create(path));
    TableWriter writer(path, std::move(schema));
    LO_ARROW_ASSIGN(auto sink, arrow::io::FileOutputStream::Open(fd.release()), "write the table");
    LO_ARROW_ASSIGN(writer.writer_,
                    parquet::arrow::FileWriter::Open(*writer.schema_, arrow::default_memory_pool(), std::move(sink),
                                                     file_properties(), arrow_properties()),
                    "write the table");
    return writer;
  });
}

Status TableWriter::write(const arrow::RecordBatch& batch) {
  return guarded("write the table", [&]() -> Status {
    for (std::int64_t row = 0; row < batch.num_rows();) {
      auto size = std::min(batch.num_rows() - row, kGroupRows - group_rows_ % kGroupRows);
      LO_TRY(write_slice(*batch.Slice(row, size)));
      row += size;
    }
    return {};
  });
}

Status TableWriter::write_slice(const arrow::RecordBatch& batch) {
  LO_ARROW_ASSIGN(auto bytes, arrow::util::ReferencedBufferSize(batch), "write the table");
  if (group_rows_ == 0 || group_rows_ >= kGroupRows || group_bytes_ + bytes / 2 > group_target_) {
    LO_ARROW_TRY(writer_->NewBufferedRowGroup(), "write the table");
    group_bytes_ = group_rows_ = 0;
  }
  LO_ARROW_TRY(writer_->WriteRecordBatch(batch), "write the table");
  group_bytes_ += bytes;
  group_rows_ += batch.num_rows();
  rows_ += batch.num_rows();
  return {};
}

Result<store::Manifest> TableWriter::finish() {
  return guarded("write the table", [&]() -> Result<store::Manifest> {
    LO_ARROW_TRY(writer_->Close(), "write the table");
    writer_.reset();
    auto name = std::exchange(path_, {}).filename().string();
    return store::Manifest{
        .kind = store::Kind::table, .parts = {{.name = std::move(name)}}, .fields = fields_of(*schema_), .rows = rows_};
  });
}

}  // namespace lo::dataset
