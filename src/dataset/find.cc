#include <arrow/record_batch.h>
#include <algorithm>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"
#include "dataset/matching_rows.h"
#include "dataset/page.h"
#include "dataset/query.h"
#include "dataset/table_file.h"

namespace lo::dataset {
namespace {

// Takes the matches from the `skip`th on, until there are `limit`.
class Matches {
 public:
  Matches(std::int64_t skip, std::int64_t limit)
      : skip_(std::max<std::int64_t>(skip, 0)), limit_(std::max<std::int64_t>(limit, 0)) {}

  bool full() const { return static_cast<std::int64_t>(documents_.size()) >= limit_; }
  // Whether the next match is one of those asked for.
  bool wants_next() { return skip_ == 0 || skip_-- == 0; }
  void add(json::object document) { documents_.push_back(std::move(document)); }
  json::array take() { return std::move(documents_); }

 private:
  std::int64_t skip_;
  std::int64_t limit_;
  json::array documents_;
};

class Search {
 public:
  Search(TableReader& table, const Query& query, std::optional<std::vector<int>> shown, Matches& matches)
      : table_(table), query_(query), scan_(table, query), shown_(std::move(shown)), matches_(matches) {}

  Status run(const std::stop_token& stop) {
    for (int group = 0; group < table_.groups() && !matches_.full(); ++group) {
      if (stop.stop_requested()) return fail(Code::cancelled, "the query was cancelled");
      LO_TRY(look_at(group));
    }
    return {};
  }

 private:
  // The fields that the query names are read first, the others where a row matches.
  Status look_at(int group) {
    LO_ASSIGN(auto ids, matching_ids(table_, scan_, query_, group));
    std::shared_ptr<arrow::RecordBatch> wide;
    for (auto id : ids) {
      if (matches_.full()) break;
      if (!matches_.wants_next()) continue;
      if (!wide) {
        LO_ASSIGN(wide, table_.read(group, shown_));
      }
      matches_.add(row_json(*wide, id - table_.first_row(group) - 1, id));
    }
    return {};
  }

  TableReader& table_;
  const Query& query_;
  const QueryScan scan_;
  const std::optional<std::vector<int>> shown_;
  Matches& matches_;
};

// The metadata is document 0, so that no row needs to be looked at to be skipped.
Result<json::array> find_all(const std::filesystem::path& parquet, const json::object& metadata, std::int64_t skip,
                             std::int64_t limit, const ShownFields& fields, TableCache* cache) {
  bool with_metadata = skip <= 0 && limit > 0;
  LO_ASSIGN(auto documents, read_page(parquet, skip - 1, limit - (with_metadata ? 1 : 0), fields, cache));
  if (with_metadata) documents.insert(documents.begin(), metadata);
  return documents;
}

}  // namespace

Result<json::array> find(const std::filesystem::path& parquet, const Query& query, const json::object& metadata,
                         std::int64_t skip, std::int64_t limit, std::stop_token stop, const ShownFields& fields,
                         TableCache* cache) {
  if (stop.stop_requested()) return fail(Code::cancelled, "the query was cancelled");
  if (query.matches_all()) return find_all(parquet, metadata, skip, limit, fields, cache);
  return guarded("read the table", [&]() -> Result<json::array> {
    Matches matches(skip, limit);
    if (query.matches(metadata) && !matches.full() && matches.wants_next()) matches.add(metadata);
    LO_ASSIGN(auto table, TableReader::open(parquet, cache));
    LO_ASSIGN(auto shown, table.indexes_of(fields, "fields"));
    LO_TRY(Search(table, query, std::move(shown), matches).run(stop));
    return matches.take();
  });
}

}  // namespace lo::dataset
