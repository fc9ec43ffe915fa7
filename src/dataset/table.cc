#include "dataset/table.h"

#include "dataset/table_file.h"

namespace lo::dataset {

Result<store::Manifest> describe_parquet(const std::filesystem::path& path) {
  LO_ASSIGN(auto table, TableReader::open(path));
  return store::Manifest{.kind = store::Kind::table,
                         .parts = {{.name = path.filename().string()}},
                         .fields = table.fields(),
                         .rows = table.rows()};
}

}  // namespace lo::dataset
