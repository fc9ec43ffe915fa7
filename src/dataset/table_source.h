// The formats that a table can be stored in, behind TableReader. Threads: one at a time; all functions block on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace arrow {
class Array;
class RecordBatch;
class Schema;
}  // namespace arrow
namespace parquet {
class FileMetaData;
}

namespace lo::dataset {

// The least and the greatest value of a field in a group of rows, both numbers or both texts. Nulls and NaN are not among them.
struct Bounds {
  json::value least, greatest;
};

// What a table's file says of the whole. Immutable: any thread.
struct TableShape {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::int64_t> first_rows;  // of each group, and the number of rows at the end
  std::shared_ptr<parquet::FileMetaData> footer;  // of a Parquet file
};

// How often each value of a field occurs in a group of rows; a value may be there twice.
struct GroupCounts {
  std::shared_ptr<arrow::Array> values;
  std::vector<std::int64_t> counts;  // of each of them
  std::int64_t nulls = 0;
};

class TableSource {
 public:
  virtual ~TableSource() = default;
  const std::shared_ptr<const TableShape>& shape() const { return shape_; }

  // Of one field, as the file tells it; nothing where it does not, and for types but integers, floats and texts.
  virtual std::optional<Bounds> bounds(int, int) const { return std::nullopt; }

  // Of one group the fields with these indexes, in that order. Never null.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::vector<int>& indexes) = 0;

  // The same of `count` rows of the group from its row `from` on (from 0).
  virtual Result<std::shared_ptr<arrow::RecordBatch>> read_rows(int group, std::int64_t from, std::int64_t count, const std::vector<int>& indexes);

  // Where the file lists the values of a field once and names them by their numbers; nothing elsewhere.
  virtual Result<std::optional<GroupCounts>> count(int, int) { return std::nullopt; }

 protected:
  std::shared_ptr<const TableShape> shape_;
};

// `known`: the file's shape, when it was read before.
Result<std::unique_ptr<TableSource>> open_parquet(const std::filesystem::path& path, std::shared_ptr<const TableShape> known = {});

// An Arrow file as the Python runtime makes it of plain numbers: one batch of float32 and float64 without nulls. Anything else
// is Code::corrupt: nothing in it is followed that a step could have forged.
Result<std::unique_ptr<TableSource>> open_arrow(const std::filesystem::path& path);

// Whether the file begins as an Arrow file does.
bool is_arrow_file(const std::filesystem::path& path);

}  // namespace lo::dataset
