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
class RecordBatch;
class Schema;
}  // namespace arrow

namespace lo::dataset {

// The least and the greatest value of a field in a group of rows, both numbers or both texts. Nulls and NaN are not among them.
struct Bounds {
  json::value least, greatest;
};

class TableSource {
 public:
  virtual ~TableSource() = default;
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  const std::vector<std::int64_t>& first_rows() const { return first_rows_; }

  // Of one field, as the file tells it; nothing where it does not, and for types but integers, floats and texts.
  virtual std::optional<Bounds> bounds(int, int) const { return std::nullopt; }

  // Of one group the fields with these indexes, in that order. Never null.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> read(int group, const std::vector<int>& indexes) = 0;

 protected:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::int64_t> first_rows_;  // of each group, and the number of rows at the end
};

Result<std::unique_ptr<TableSource>> open_parquet(const std::filesystem::path& path);

// An Arrow file as the Python runtime makes it of plain numbers: one batch of float32 and float64 without nulls, mapped. Anything else
// is Code::corrupt: nothing in it is followed that a step could have forged.
Result<std::unique_ptr<TableSource>> open_arrow(const std::filesystem::path& path);

// Whether the file begins as an Arrow file does.
bool is_arrow_file(const std::filesystem::path& path);

}  // namespace lo::dataset
