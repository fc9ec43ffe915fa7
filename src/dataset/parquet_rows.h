// A few rows of a column of a Parquet file: only their pages are read, which the file's page index tells.
#pragma once

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "base/error.h"

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
class OffsetIndex;
}  // namespace parquet

namespace lo::dataset {

// Whether read_rows() takes it: a column that is neither nested nor of a type that datasets seldom have.
bool reads_rows(const parquet::ColumnDescriptor& column, const arrow::DataType& type);

// A column in one group of rows.
struct ColumnChunk {
  arrow::io::RandomAccessFile* file;
  const parquet::ColumnDescriptor* column;
  const parquet::ColumnChunkMetaData* metadata;
  const parquet::OffsetIndex* pages;
};

// `count` (> 0) rows from the row `from` of the group on (from 0). Code::corrupt when they are not there; throws what Parquet throws.
Result<std::shared_ptr<arrow::Array>> read_rows(const ColumnChunk& chunk, const std::shared_ptr<arrow::DataType>& type, std::int64_t from,
                                                std::int64_t count);

}  // namespace lo::dataset
