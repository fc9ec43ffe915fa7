// A query on a table, group of rows by group.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "dataset/query.h"
#include "dataset/query_tree.h"
#include "dataset/table_file.h"

namespace lo::dataset {

// The table and the query outlive it.
class QueryScan {
 public:
  QueryScan(TableReader& table, const Query& query);

  // The rows of a group that can match, by `_id`; nothing when none can, by their numbers or by what the file says of its values.
  std::optional<IdRange> rows_in(int group) const;

  // Of a group the fields that the query names.
  Result<std::shared_ptr<arrow::RecordBatch>> read(int group) const { return table_.read(group, named_); }

 private:
  bool may_match_in(int group) const;

  TableReader& table_;
  const Query& query_;
  const IdRange range_;
  std::vector<int> named_;
};

}  // namespace lo::dataset
