#include "dataset/matching_rows.h"

#include <arrow/record_batch.h>

#include <numeric>

#include "dataset/cell.h"

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
  for (auto id = rows->low; id <= rows->high; ++id)
    if (query.matches(row_json(*named, id - table.first_row(group) - 1, id))) ids.push_back(id);
  return ids;
}

}  // namespace lo::dataset
