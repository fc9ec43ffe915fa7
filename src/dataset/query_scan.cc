#include "dataset/query_scan.h"

#include <arrow/type.h>

#include <algorithm>

#include "dataset/query_prune.h"

namespace lo::dataset {

QueryScan::QueryScan(TableReader& table, const Query& query) : table_(table), query_(query), range_(id_range(query.root())) {
  std::vector<std::string> names;
  collect_fields(query.root(), names);
  for (int i = 0; i < table.schema()->num_fields(); ++i)
    if (std::ranges::find(names, table.schema()->field(i)->name()) != names.end()) named_.push_back(i);
}

std::optional<IdRange> QueryScan::rows_in(int group) const {
  IdRange rows{.low = std::max(table_.first_row(group) + 1, range_.low), .high = std::min(table_.first_row(group + 1), range_.high)};
  if (rows.low > rows.high || !may_match_in(group)) return std::nullopt;
  return rows;
}

bool QueryScan::may_match_in(int group) const {
  return may_match(query_.root(), [&](std::string_view field) -> std::optional<Bounds> {
    auto index = table_.schema()->GetFieldIndex(std::string(field));
    return index < 0 ? std::nullopt : table_.bounds(group, index);
  });
}

}  // namespace lo::dataset
