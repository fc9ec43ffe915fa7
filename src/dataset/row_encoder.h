// Batches of rows as bytes: what row_stream.h gives.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataset/row_stream.h"

namespace lo::dataset {

// Threads: one at a time.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;

  // `ids`: the `_id` of each row.
  virtual Result<std::string> encode(const std::shared_ptr<arrow::RecordBatch>& batch, std::span<const std::int64_t> ids) = 0;
  virtual Result<std::string> finish() = 0;  // what stands after the last batch
};

Result<std::unique_ptr<RowEncoder>> make_encoder(RowFormat format, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace lo::dataset
