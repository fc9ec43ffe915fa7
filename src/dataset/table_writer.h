// Tables written as Parquet. Threads: one at a time; all functions block on the disk.
#pragma once

#include <arrow/io/type_fwd.h>

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "store/manifest.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow
namespace parquet::arrow {
class FileWriter;
}  // namespace parquet::arrow

namespace lo::dataset {

// Writes zstd Parquet in row groups of some MB, whose pages have few rows, so that a page of rows is cheap to read. A file that is not finished is
// removed.
class TableWriter {
 public:
  // `path` must not exist.
  static Result<TableWriter> open(const std::filesystem::path& path, std::shared_ptr<arrow::Schema> schema);
  TableWriter(TableWriter&&) noexcept;
  TableWriter& operator=(TableWriter&&) = delete;
  ~TableWriter();

  Status write(const arrow::RecordBatch& batch);
  std::int64_t rows() const { return rows_; }

  // The file is complete, not synced. Gives the draft for store::publish.
  Result<store::Manifest> finish();

 private:
  TableWriter(std::filesystem::path path, std::shared_ptr<arrow::Schema> schema, std::shared_ptr<arrow::io::OutputStream> sink);
  Status begin(const arrow::RecordBatch* first);
  Status write_slice(const arrow::RecordBatch& batch);

  std::filesystem::path path_;  // empty once finished
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::io::OutputStream> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;  // null before the first rows
  std::int64_t group_target_;
  std::int64_t group_bytes_ = 0;
  std::int64_t group_rows_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace lo::dataset
