// Batches of rows as bytes: what row_stream.h gives.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataset/row_stream.h"

namespace lo::dataset {

class RowEncoder {
 public:
  virtual ~RowEncoder() = default;

  // Whether encode() may be called in any order and by several threads at once; otherwise one at a time, in the order of the rows.
  virtual bool side_by_side() const = 0;

  virtual Result<std::string> begin() = 0;  // what stands before the first row, once
  // `ids`: the `_id` of each row.
  virtual Result<std::string> encode(const arrow::RecordBatch& batch, std::span<const std::int64_t> ids) = 0;
  virtual Result<std::string> finish() = 0;  // what stands after the last batch
};

Result<std::unique_ptr<RowEncoder>> make_encoder(RowFormat format, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace lo::dataset
