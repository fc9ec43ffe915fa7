#include "dataset/page.h"

#include <arrow/record_batch.h>
#include <algorithm>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"
#include "dataset/table_file.h"

namespace lo::dataset {

Result<json::array> read_page(const std::filesystem::path& parquet, std::int64_t skip, std::int64_t limit, const ShownFields& fields) {
  return guarded("read the table", [&]() -> Result<json::array> {
    LO_ASSIGN(auto table, TableReader::open(parquet));
    LO_ASSIGN(auto indexes, table.indexes_of(fields, "fields"));
    auto first = std::clamp<std::int64_t>(skip, 0, table.rows());
    auto end = first + std::clamp<std::int64_t>(limit, 0, table.rows() - first);
    json::array documents;
    for (int group = 0; group < table.groups(); ++group) {
      auto group_first = table.first_row(group);
      auto from = std::max(first, group_first);
      auto to = std::min(end, table.first_row(group + 1));
      if (from >= to) continue;
      LO_ASSIGN(auto batch, table.read(group, indexes));
      for (auto row = from; row < to; ++row) documents.push_back(row_json(*batch, row - group_first, row + 1));
    }
    return documents;
  });
}

}  // namespace lo::dataset
