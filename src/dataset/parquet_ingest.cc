#include "dataset/parquet_ingest.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <set>

#include "dataset/arrow_error.h"
#include "dataset/shown.h"
#include "dataset/table_file.h"
#include "dataset/table_writer.h"

namespace lo::dataset {
namespace {

constexpr std::int64_t kBatchRows = 16 * 1024;
constexpr int kMostFields = 10'000;
constexpr std::int64_t kLeastBytes = 12;  // two marks and the length of the footer

std::unexpected<Error> refuse(std::string why) { return fail(Code::unacceptable, std::move(why)); }

// Parquet files begin and end with a mark.
Result<std::shared_ptr<arrow::io::ReadableFile>> open(const std::filesystem::path& path) {
  LO_ARROW_ASSIGN(auto file, arrow::io::ReadableFile::Open(path.string()), "open the file");
  LO_ARROW_ASSIGN(auto size, file->GetSize(), "read the file");
  auto mark_at = [&](std::int64_t at) -> Result<std::string> {
    LO_ARROW_ASSIGN(auto mark, file->ReadAt(at, 4), "read the file");
    return mark->ToString();
  };
  if (size < kLeastBytes) return refuse("the file is no Parquet file: it is too short");
  LO_ASSIGN(auto begin, mark_at(0));
  LO_ASSIGN(auto end, mark_at(size - 4));
  if (begin == "PARE" || end == "PARE") return refuse("the Parquet file is encrypted");
  if (begin != "PAR1") return refuse("the file is no Parquet file: it does not begin with PAR1");
  if (end != "PAR1") return refuse("the Parquet file is cut off: it does not end with PAR1");
  return file;
}

Status check_fields(const arrow::Schema& schema) {
  if (schema.num_fields() > kMostFields)
    return refuse(fmt::format("the Parquet file has {} fields, at most {} are possible", schema.num_fields(), kMostFields));
  std::set<std::string_view> seen;
  for (const auto& name : schema.field_names()) {
    if (name.empty()) return refuse("a field of the Parquet file has no name");
    if (name == "_id") return refuse("the field '_id' of the Parquet file is called as the row number is: rename it");
  }
  for (const auto& field : schema.fields())
    if (!seen.insert(field->name()).second) return refuse(fmt::format("two fields of the Parquet file are called {}", shown(field->name())));
  return {};
}

class Copy {
 public:
  static Result<Copy> open(const std::filesystem::path& path) {
    Copy copy;
    LO_ASSIGN(auto file, dataset::open(path));
    LO_ARROW_ASSIGN(copy.bytes_, file->GetSize(), "read the file");
    parquet::arrow::FileReaderBuilder builder;
    LO_ARROW_TRY(builder.Open(std::move(file)), "read the Parquet file");
    parquet::ArrowReaderProperties properties(true);
    properties.set_batch_size(kBatchRows);
    properties.set_pre_buffer(false);  // which would hold a whole row group
    LO_ARROW_TRY(builder.properties(properties)->Build(&copy.reader_), "read the Parquet file");
    LO_ARROW_TRY(copy.reader_->GetSchema(&copy.schema_), "read the Parquet file");
    copy.schema_ = copy.schema_->RemoveMetadata();
    LO_TRY(check_fields(*copy.schema_));
    return copy;
  }

  Result<store::Manifest> to(const std::filesystem::path& path, const Progress& progress, const std::stop_token& stop) {
    LO_ASSIGN(auto writer, TableWriter::open(path, schema_));
    LO_ARROW_ASSIGN(auto batches, reader_->GetRecordBatchReader(), "read the Parquet file");
    auto all_rows = reader_->parquet_reader()->metadata()->num_rows();
    for (std::shared_ptr<arrow::RecordBatch> batch;;) {
      if (stop.stop_requested()) return fail(Code::cancelled, "the ingest was cancelled");
      LO_ARROW_TRY(batches->ReadNext(&batch), "read the Parquet file");
      if (batch == nullptr) return writer.finish();
      LO_ARROW_TRY(batch->ValidateFull(), "read the Parquet file");
      LO_TRY(writer.write(*batch));
      auto share = all_rows > 0 ? static_cast<double>(writer.rows()) / static_cast<double>(all_rows) : 1;
      if (progress) progress({.bytes = static_cast<std::int64_t>(share * static_cast<double>(bytes_)), .total = bytes_, .rows = writer.rows()});
    }
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  std::int64_t bytes_ = 0;
};

}  // namespace

Result<store::Manifest> ingest_parquet(const std::filesystem::path& from, const std::filesystem::path& parquet_out, const Progress& progress,
                                       std::stop_token stop) {
  auto manifest = guarded("read the Parquet file", [&]() -> Result<store::Manifest> {
    LO_ASSIGN(auto copy, Copy::open(from));
    return copy.to(parquet_out, progress, stop);
  });
  if (!manifest && manifest.error().code == Code::corrupt) manifest.error().code = Code::unacceptable;  // it is not ours that is damaged
  return manifest;
}

}  // namespace lo::dataset
