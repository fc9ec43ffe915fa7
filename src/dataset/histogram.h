// explore/histogram: how often each value of a field occurs.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "base/json.h"
#include "store/manifest.h"

namespace lo::dataset {

inline constexpr std::size_t kMostDistinct = 10'000;  // values of a field that is counted value by value
inline constexpr int kMostBins = 1'000;

// A document per name, in their order: {"<field>": [{"_id": value, "count": n}, …]}, values as the column has them, null included, by
// count down, then by value. With `bins`, numeric fields are counted in that many ranges of equal width instead, by value:
// {"_id": from, "to": to, "count": n}, `to` excluded but in the last; nulls as {"_id": null, "count": n}.
// Code::unacceptable at "/names/<i>" for a name that is no field, or a field with more than kMostDistinct values. Code::cancelled,
// Code::corrupt. Reads only the fields named, row group by row group. Blocks.
Result<json::array> histogram(const std::filesystem::path& table, std::span<const std::string> names, std::optional<int> bins,
                              std::stop_token stop = {});

}  // namespace lo::dataset
