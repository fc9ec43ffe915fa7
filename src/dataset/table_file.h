// Tables as groups of record batches, read from Parquet or Arrow files. Threads: one at a time; all functions block on the disk.
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

std::vector<store::Field> fields_of(const arrow::Schema& schema);

}  // namespace lo::dataset
