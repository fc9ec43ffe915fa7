#include "dataset/matching_rows.h"

#include <arrow/record_batch.h>

#include <numeric>

#include "dataset/column_match.h"

namespace lo::dataset {

Result<std::vector<std::int64_t>> matching_ids(TableReader& table, const QueryScan& scan, const Query& query, int group) {
  std::vector<std::int64_t> ids;
  auto rows = scan.rows_in(group);
  if (!rows) return ids;
  if (query.matches_all()) {
    ids.resize(static_cast<std::size_t>(rows->high - rows->low + 1));
    std::iota(ids.begin(), ids.end(), rows->low);
    return ids;
  }
  LO_ASSIGN(auto named, scan.read(group));
  auto marks = matching(query.root(), *named->Slice(rows->low - table.first_row(group) - 1, rows->high - rows->low + 1), rows->low);
  for (std::size_t i = 0; i < marks.size(); ++i)
    if (marks[i] != 0) ids.push_back(rows->low + static_cast<std::int64_t>(i));
  return ids;
}

}  // namespace lo::dataset
