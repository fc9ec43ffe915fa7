// Pages of a table in the order of one field, and how many rows match: what has to look at every row.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dataset/page.h"
#include "dataset/query.h"

namespace lo::dataset {

struct SortKey {
  std::string field;  // also `_id`
  bool descending = false;
};

// "field", or "-field" for the greatest first.
SortKey parse_sort(std::string_view text);

inline constexpr std::int64_t kMostSorted = 1'000'000;  // rows from the first to the last that is shown

// As find(), but the rows in the order of the key: null, NaN and what is missing come before all values, equal ones in the order of `_id`; the metadata
// stays first. Code::unacceptable at "sort" for a field that there is not or that has no order, at "skip" beyond kMostSorted. Memory is bounded by a
// few groups of rows and the keys up to the last row that is shown. Works on all cores. Blocks.
Result<json::array> find_sorted(const std::filesystem::path& parquet, const Query& query, const json::object& metadata, const SortKey& key,
                                std::int64_t skip, std::int64_t limit, std::stop_token stop = {}, const ShownFields& fields = {},
                                TableCache* cache = nullptr);

// The rows that match. Blocks.
Result<std::int64_t> count_rows(const std::filesystem::path& parquet, const Query& query, std::stop_token stop = {});

}  // namespace lo::dataset
