#include "dataset/page.h"

#include <arrow/record_batch.h>
#include <algorithm>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"
#include "dataset/table_file.h"

namespace lo::dataset {

Result<json::array> read_page(const std::filesystem::path& parquet, std::int64_t skip, std::int64_t limit, const ShownFields& fields, TableCache* cache) {
  return guarded("read the table", [&]() -> Result<json::array> {
    LO_ASSIGN(auto table, TableReader::open(parquet, cache));
    LO_ASSIGN(auto indexes, table.indexes_of(fields, "fields"));
    auto row = std::clamp<std::int64_t>(skip, 0, table.rows());
    auto end = row + std::clamp<std::int64_t>(limit, 0, table.rows() - row);
    json::array documents;
    while (row < end) {
      LO_ASSIGN(auto part, table.read_part(row, indexes));
      for (auto to = std::min(end, part.first_row + part.batch->num_rows()); row < to; ++row)
        documents.push_back(row_json(*part.batch, row - part.first_row, row + 1));
    }
    return documents;
  });
}

}  // namespace lo::dataset
