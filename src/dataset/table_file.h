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

struct TableCache;

class TableReader {
 public:
  // Code::corrupt when it is no such file. `cache`, which outlives the reader, is asked first: a table that is known is opened only when something
  // is read of it that is not.
  static Result<TableReader> open(const std::filesystem::path& path, TableCache* cache = nullptr);

  // Another one of the same file, for another thread. The file is open when this returns.
  Result<TableReader> again() const;

  const std::shared_ptr<arrow::Schema>& schema() const { return shape_->schema; }
  std::int64_t rows() const { return shape_->first_rows.back(); }
  int groups() const { return static_cast<int>(shape_->first_rows.size()) - 1; }
  std::int64_t first_row(int group) const { return shape_->first_rows[static_cast<std::size_t>(group)]; }  // from 0; of groups(): rows()
  int group_of(std::int64_t row) const;  // the row is one of the table's
  std::vector<store::Field> fields() const;

  // Of a group and a field: see TableSource.
  std::optional<Bounds> bounds(int group, int index);

  // For read(): the indexes of these fields, each once and without `_id`; all when none is named. Code::unacceptable at `pointer` for a name that
  // no field has.
  Result<std::optional<std::vector<int>>> indexes_of(const std::vector<std::string>& names, const std::string& pointer) const;

  // One group, of it the fields with the given indexes (in that order) or all. Never null.
  Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::optional<std::vector<int>>& indexes = {});

  // How often each value of a field occurs in a group.
  Result<GroupCounts> count(int group, int index);

  // The same where the file lists the values of the field, so that it costs little; nothing elsewhere.
  Result<std::optional<GroupCounts>> count_listed(int group, int index);

  // The rows around one: some thousand, so that reading and keeping them costs little.
  struct Part {
    std::int64_t first_row;  // from 0, in the table
    std::shared_ptr<arrow::RecordBatch> batch;
  };
  Result<Part> read_part(std::int64_t row, const std::optional<std::vector<int>>& indexes = {});

 private:
  TableReader(std::filesystem::path path, TableCache* cache) : path_(std::move(path)), cache_(cache) {}
  Result<TableSource*> source();
  Status open_source();
  std::vector<int> all_or(const std::optional<std::vector<int>>& indexes) const;
  Result<std::shared_ptr<arrow::RecordBatch>> read_cached(int group, std::int64_t from, std::int64_t count, const std::vector<int>& indexes);

  std::filesystem::path path_;
  TableCache* cache_;
  std::shared_ptr<const TableShape> shape_;
  std::unique_ptr<TableSource> source_;  // null before it is needed
};

std::vector<store::Field> fields_of(const arrow::Schema& schema);

}  // namespace lo::dataset
