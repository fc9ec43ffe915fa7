// What a table holds, field by field.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "dataset/lru.h"

namespace lo::dataset {

// The profiles of fields that were asked for lately. Any thread. A file is known by its path, and never changes: that of a stored object, whose name is
// its content's digest.
struct ProfileCache {
  explicit ProfileCache(std::size_t most_bytes) : fields(most_bytes) {}

  Lru<std::shared_ptr<const json::object>> fields;  // by path and number of the field
};

// {rows, fields: [{name, type, count, nulls, …}, …]}: the fields that are named, in that order, or all. What a client sees as null is null: NaN and
// infinities too, which `notFinite` counts among the nulls of a field of floating numbers. `count` is of the others.
//   distinct, distinctError  how many different values, and the relative standard error of that number: 0, exact, up to 4,096 of them
//   min, max                 texts by their bytes
//   mean, standardDeviation  of numbers, the latter of a sample; mean also of times
//   quantiles, quantileError of numbers and times: {"0.5": the least value that half of the values are not above, …}; the share that it is of is wrong by
//                            quantileError at most: 0, exact, up to 2,048 different values
//   shortest, longest        of texts, in characters; `cut` where texts are shown by their first so many, and "…"
//   top, topError            [{value, count}, …]: the ten values that occur most often, fewer where it is not certain, and by how much each count is too
//                            small at most: 0, exact, up to 4,096 different values. Any other value occurs at most topError times more often than the
//                            last of ten, or than topError where there are fewer
// Nested fields and those of rarer types have count and nulls. The same file gives the same profile.
// Code::unacceptable at "fields" for a name that is no field, Code::cancelled, Code::corrupt. Memory is bounded by some ten MB, one field of
// four groups of rows, and the answer. Blocks.
Result<json::object> profile(const std::filesystem::path& table, const std::vector<std::string>& names, std::stop_token stop = {},
                             ProfileCache* cache = nullptr);

}  // namespace lo::dataset
