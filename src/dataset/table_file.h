// Tables as groups of record batches, read from Parquet or Arrow files and written as Parquet. Threads: one at a time; all functions block on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dataset/table_source.h"
#include "store/manifest.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow
namespace parquet::arrow {
class FileWriter;
}  // namespace parquet::arrow

namespace lo::dataset {

class TableReader {
 public:
  // Code::corrupt when it is no such file.
  static Result<TableReader> open(const std::filesystem::path& path);
  const std::shared_ptr<arrow::Schema>& schema() const { return source_->schema(); }
  std::int64_t rows() const { return source_->first_rows().back(); }
  int groups() const { return static_cast<int>(source_->first_rows().size()) - 1; }
  std::int64_t first_row(int group) const {
    return source_->first_rows()[static_cast<std::size_t>(group)];
  }  // from 0; of groups(): rows()
  std::vector<store::Field> fields() const;

  // Of a group and a field: see TableSource.
  std::optional<Bounds> bounds(int group, int index) const { return source_->bounds(group, index); }

  // For read(): the indexes of these fields, each once and without `_id`; all when none is named. Code::unacceptable at `pointer` for a name that
  // no field has.
  Result<std::optional<std::vector<int>>> indexes_of(const std::vector<std::string>& names, const std::string& pointer) const;

  // One group, of it the fields with the given indexes (in that order) or all. Never null.
  Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::optional<std::vector<int>>& indexes = {});

 private:
  explicit TableReader(std::unique_ptr<TableSource> source) : source_(std::move(source)) {}
  std::unique_ptr<TableSource> source_;
};

// Writes zstd Parquet in row groups of a few MB, so that a page of rows is cheap to read. A file that is not finished is
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
  TableWriter(std::filesystem::path path, std::shared_ptr<arrow::Schema> schema);
  Status write_slice(const arrow::RecordBatch& batch);

  std::filesystem::path path_;  // empty once finished
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::int64_t group_target_;
  std::int64_t group_bytes_ = 0;
  std::int64_t group_rows_ = 0;
  std::int64_t rows_ = 0;
};

std::vector<store::Field> fields_of(const arrow::Schema& schema);

}  // namespace lo::dataset
