#include "dataset/table_writer.h"

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "dataset/arrow_error.h"
#include "dataset/table_file.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kGroupRows = 64 * 1024;
constexpr std::int64_t kLeastGroupBytes = std::int64_t{8} << 20;
constexpr std::int64_t kMostGroupBytes = std::int64_t{64} << 20;
constexpr std::int64_t kPageRows = 8 * 1024;
constexpr std::int64_t kSampleRows = 4096;
constexpr std::int64_t kLeastRepeated = 2;
constexpr std::int64_t kColumnChunkBytes = 16 * 1024;  // below, a column's description outweighs its values

std::int64_t group_bytes_for(int columns) { return std::clamp(columns * kColumnChunkBytes, kLeastGroupBytes, kMostGroupBytes); }

// Whether most values are found again and again, going by the first ones: only then is a dictionary of them shorter, and worth its time.
bool is_repetitive(const arrow::Array& sample) {
  auto distinct = arrow::compute::Unique(sample.Slice(0));
  return !distinct.ok() || (*distinct)->length() * kLeastRepeated <= sample.length();
}

// Whether the least and greatest text of a group of rows say something, going by the first rows: in a column without any order every group has
// nearly the same ones. Finding them takes as long as all else that is done for a text; numbers are cheap.
bool is_ordered(const arrow::Array& sample) {
  if (sample.type_id() != arrow::Type::STRING) return true;
  const auto& texts = static_cast<const arrow::StringArray&>(sample);
  auto half = texts.length() / 2;
  std::vector<std::string_view> first;
  for (std::int64_t row = 0; row < half; ++row) first.push_back(texts.GetView(row));
  if (first.empty()) return true;
  auto [least, greatest] = std::ranges::minmax(first);
  auto inside = 0;
  for (auto row = half; row < texts.length(); ++row) inside += texts.GetView(row) >= least && texts.GetView(row) <= greatest ? 1 : 0;
  return inside * 10 < (texts.length() - half) * 9;
}

bool is_whole_number(arrow::Type::type type) { return type == arrow::Type::INT64 || type == arrow::Type::TIMESTAMP; }

std::shared_ptr<parquet::WriterProperties> file_properties(const arrow::RecordBatch* first) {
  parquet::WriterProperties::Builder properties;
  properties.compression(arrow::Compression::ZSTD)->compression_level(1)->max_rows_per_page(kPageRows);
  for (int i = 0; first != nullptr && i < first->num_columns(); ++i) {
    auto sample = first->column(i)->Slice(0, kSampleRows);
    const auto& name = first->column_name(i);
    if (!is_repetitive(*sample)) {
      properties.disable_dictionary(name);
      if (is_whole_number(sample->type_id())) properties.encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);  // as many bits as it takes
    }
    if (!is_ordered(*sample)) properties.disable_statistics(name);
  }
  return properties.build();
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

TableWriter::TableWriter(std::filesystem::path path, std::shared_ptr<arrow::Schema> schema, std::shared_ptr<arrow::io::OutputStream> sink)
    : path_(std::move(path)), schema_(std::move(schema)), sink_(std::move(sink)), group_target_(group_bytes_for(schema_->num_fields())) {}

TableWriter::TableWriter(TableWriter&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      schema_(std::move(other.schema_)),
      sink_(std::move(other.sink_)),
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
    LO_ARROW_ASSIGN(auto sink, arrow::io::FileOutputStream::Open(fd.release()), "write the table");
    return TableWriter(path, std::move(schema), std::move(sink));
  });
}

// `first`: null when there are no rows.
Status TableWriter::begin(const arrow::RecordBatch* first) {
  LO_ARROW_ASSIGN(writer_, parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), sink_, file_properties(first), arrow_properties()),
                  "write the table");
  return {};
}

Status TableWriter::write(const arrow::RecordBatch& batch) {
  return guarded("write the table", [&]() -> Status {
    if (!writer_ && batch.num_rows() > 0) LO_TRY(begin(&batch));
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
    if (!writer_) LO_TRY(begin(nullptr));
    LO_ARROW_TRY(writer_->Close(), "write the table");
    writer_.reset();
    LO_ARROW_TRY(sink_->Close(), "write the table");
    auto name = std::exchange(path_, {}).filename().string();
    return store::Manifest{
        .kind = store::Kind::table, .parts = {{.name = std::move(name)}}, .fields = fields_of(*schema_), .rows = rows_};
  });
}

}  // namespace lo::dataset
