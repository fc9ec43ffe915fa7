// Tables that were read lately: what their files say of themselves, and parts of their columns. Any thread.
//
// A file is known by its path, and never changes: that of a stored object, whose name is its content's digest.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "dataset/lru.h"
#include "dataset/table_source.h"

namespace lo::dataset {

struct TableCache {
  // Bytes of columns, as they are in memory.
  explicit TableCache(std::size_t most_bytes) : columns(most_bytes) {}

  Lru<std::shared_ptr<const TableShape>> shapes{std::size_t{32} << 20};  // by path; weighed by row groups and fields
  Lru<std::shared_ptr<arrow::Array>> columns;                           // by path, group, part and field
};

}  // namespace lo::dataset
