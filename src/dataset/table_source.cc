#include "dataset/table_source.h"

#include <arrow/record_batch.h>

namespace lo::dataset {

Result<std::shared_ptr<arrow::RecordBatch>> TableSource::read_rows(int group, std::int64_t from, std::int64_t count, const std::vector<int>& indexes) {
  LO_ASSIGN(auto all, read(group, indexes));
  return all->Slice(from, count);
}

}  // namespace lo::dataset
