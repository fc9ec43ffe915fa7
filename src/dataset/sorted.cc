#include "dataset/sorted.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"
#include "dataset/fields.h"
#include "dataset/group_ranges.h"
#include "dataset/matching_rows.h"
#include "dataset/order.h"
#include "dataset/table_cache.h"
#include "dataset/table_file.h"

namespace lo::dataset {
namespace {

constexpr std::string_view kWhat = "sort the rows";

// Keys and the rows that have them, side by side.
struct Keyed {
  std::shared_ptr<arrow::Array> keys;
  std::shared_ptr<arrow::Array> ids;
};

Result<std::shared_ptr<arrow::Array>> taken(const std::shared_ptr<arrow::Array>& values, const std::shared_ptr<arrow::Array>& indexes) {
  LO_ARROW_ASSIGN(auto datum, arrow::compute::Take(values, indexes), kWhat);
  return datum.make_array();
}

Result<std::shared_ptr<arrow::Array>> array_of(const std::vector<std::int64_t>& numbers) {
  arrow::Int64Builder builder;
  LO_ARROW_TRY(builder.AppendValues(numbers), kWhat);
  LO_ARROW_ASSIGN(auto array, builder.Finish(), kWhat);
  return array;
}

// The first `most` of them, sorted; equal ones keep their order.
Result<Keyed> first_of(const Keyed& all, bool descending, std::int64_t most) {
  LO_ASSIGN(auto indexes, array_of(order_of(*all.keys, descending, most)));
  Keyed first;
  LO_ASSIGN(first.keys, taken(all.keys, indexes));
  LO_ASSIGN(first.ids, taken(all.ids, indexes));
  return first;
}

Result<Keyed> joined(const std::vector<Keyed>& parts) {
  arrow::ArrayVector keys, ids;
  for (const auto& part : parts) {
    keys.push_back(part.keys);
    ids.push_back(part.ids);
  }
  Keyed all;
  LO_ARROW_ASSIGN(all.keys, arrow::Concatenate(keys), kWhat);
  LO_ARROW_ASSIGN(all.ids, arrow::Concatenate(ids), kWhat);
  return all;
}

class Sorter {
 public:
  Sorter(std::filesystem::path table, TableCache& cache, const Query& query, const SortKey& key, std::int64_t most)
      : table_(std::move(table)), cache_(cache), query_(query), key_(key), most_(most) {}

  // The `_id` of the first rows.
  Result<std::vector<std::int64_t>> run(int groups, std::stop_token stop) const {
    std::vector<Keyed> parts;
    std::int64_t waiting = 0;
    auto take = [&](const GroupRange&, const Result<std::optional<Keyed>>& part) -> Status {
      if (!part) return fail(part.error());
      if (!*part) return {};
      parts.push_back(**part);
      waiting += parts.back().keys->length();
      return waiting > 4 * most_ ? shrink(parts, waiting) : Status();
    };
    auto work = [this](const GroupRange& range) { return guarded(kWhat, [&] { return sort(range); }); };
    LO_TRY(Pipeline(group_ranges(groups, "the query"), std::move(stop), work, take).run());
    if (parts.empty()) return std::vector<std::int64_t>();
    LO_TRY(shrink(parts, waiting));
    const auto& ids = static_cast<const arrow::Int64Array&>(*parts.front().ids);
    return std::vector<std::int64_t>(ids.raw_values(), ids.raw_values() + ids.length());
  }

 private:
  Status shrink(std::vector<Keyed>& parts, std::int64_t& waiting) const {
    LO_ASSIGN(auto all, joined(parts));
    LO_ASSIGN(auto first, first_of(all, key_.descending, most_));
    waiting = first.keys->length();
    parts = {std::move(first)};
    return {};
  }

  Result<std::optional<Keyed>> sort(const GroupRange& range) const {
    LO_ASSIGN(auto table, TableReader::open(table_, &cache_));
    QueryScan scan(table, query_);
    std::vector<Keyed> parts;
    for (int group = range.begin; group < range.end; ++group) {
      LO_ASSIGN(auto ids, matching_ids(table, scan, query_, group));
      if (ids.empty()) continue;
      LO_ASSIGN(auto keyed, keys_of(table, group, ids));
      LO_ASSIGN(keyed, first_of(keyed, key_.descending, most_));
      parts.push_back(std::move(keyed));
    }
    if (parts.empty()) return std::nullopt;
    return joined(parts);
  }

  Result<Keyed> keys_of(TableReader& table, int group, const std::vector<std::int64_t>& ids) const {
    Keyed keyed;
    LO_ASSIGN(keyed.ids, array_of(ids));
    keyed.keys = keyed.ids;
    if (key_.field == "_id") return keyed;
    LO_ASSIGN(auto batch, table.read(group, std::vector<int>{table.schema()->GetFieldIndex(key_.field)}));
    keyed.keys = batch->column(0);
    if (keyed.keys->length() == keyed.ids->length()) return keyed;
    std::vector<std::int64_t> rows;
    for (auto id : ids) rows.push_back(id - table.first_row(group) - 1);
    LO_ASSIGN(auto indexes, array_of(rows));
    LO_ASSIGN(keyed.keys, taken(keyed.keys, indexes));
    return keyed;
  }

  const std::filesystem::path table_;
  TableCache& cache_;
  const Query& query_;
  const SortKey& key_;
  const std::int64_t most_;
};

Status check_key(const TableReader& table, const SortKey& key) {
  if (key.field == "_id") return {};
  LO_TRY(check_field(key.field, table.fields(), "sort"));
  const auto& type = *table.schema()->GetFieldByName(key.field)->type();
  if (!has_order(type)) return fail_field(Code::unacceptable, "sort", fmt::format("the values of '{}' have no order", key.field));
  return {};
}

Result<json::array> documents_of(TableReader& table, const std::vector<std::int64_t>& ids, const std::optional<std::vector<int>>& shown) {
  json::array documents;
  for (auto id : ids) {
    LO_ASSIGN(auto part, table.read_part(id - 1, shown));
    documents.push_back(row_json(*part.batch, id - 1 - part.first_row, id));
  }
  return documents;
}

}  // namespace

SortKey parse_sort(std::string_view text) {
  bool descending = text.starts_with('-');
  return {.field = std::string(text.substr(descending ? 1 : 0)), .descending = descending};
}

Result<json::array> find_sorted(const std::filesystem::path& parquet, const Query& query, const json::object& metadata, const SortKey& key,
                                std::int64_t skip, std::int64_t limit, std::stop_token stop, const ShownFields& fields, TableCache* cache) {
  return guarded("read the table", [&]() -> Result<json::array> {
    TableCache own(0);
    auto& known = cache != nullptr ? *cache : own;
    LO_ASSIGN(auto table, TableReader::open(parquet, &known));
    LO_TRY(check_key(table, key));
    LO_ASSIGN(auto shown, table.indexes_of(fields, "fields"));
    bool counts_metadata = query.matches(metadata);
    bool shows_metadata = counts_metadata && skip <= 0 && limit > 0;
    auto first = std::max<std::int64_t>(0, skip - (counts_metadata ? 1 : 0));
    auto count = std::max<std::int64_t>(0, limit - (shows_metadata ? 1 : 0));
    if (first > kMostSorted - count)
      return fail_field(Code::unacceptable, "skip", fmt::format("of sorted rows at most the first {} are shown", kMostSorted));
    LO_ASSIGN(auto ids, Sorter(parquet, known, query, key, std::max<std::int64_t>(1, first + count)).run(table.groups(), std::move(stop)));
    ids.erase(ids.begin(), ids.begin() + std::min<std::int64_t>(first, std::ssize(ids)));
    ids.resize(std::min(ids.size(), static_cast<std::size_t>(count)));
    LO_ASSIGN(auto documents, documents_of(table, ids, shown));
    if (shows_metadata) documents.insert(documents.begin(), metadata);
    return documents;
  });
}

Result<std::int64_t> count_rows(const std::filesystem::path& parquet, const Query& query, std::stop_token stop) {
  return guarded("read the table", [&]() -> Result<std::int64_t> {
    TableCache cache(0);
    LO_ASSIGN(auto table, TableReader::open(parquet, &cache));
    if (query.matches_all()) return table.rows();
    std::int64_t rows = 0;
    auto work = [&](const GroupRange& range) -> Result<std::int64_t> {
      LO_ASSIGN(auto reader, TableReader::open(parquet, &cache));
      QueryScan scan(reader, query);
      std::int64_t found = 0;
      for (int group = range.begin; group < range.end; ++group) {
        LO_ASSIGN(auto ids, matching_ids(reader, scan, query, group));
        found += std::ssize(ids);
      }
      return found;
    };
    auto take = [&rows](const GroupRange&, const Result<std::int64_t>& found) -> Status {
      if (!found) return fail(found.error());
      rows += *found;
      return {};
    };
    LO_TRY(Pipeline(group_ranges(table.groups(), "the query"), std::move(stop), work, take).run());
    return rows;
  });
}

}  // namespace lo::dataset
