// The groups of a table in ranges, for threads that each read some with a reader of their own.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "dataset/pipeline.h"

namespace lo::dataset {

struct GroupRange {
  int begin, end;
};

inline Pieces<GroupRange> group_ranges(int groups, std::string what) {
  constexpr int kAtOnce = 4;
  auto next = [groups, begin = 0]() mutable -> Result<std::optional<GroupRange>> {
    if (begin == groups) return std::nullopt;
    auto end = std::min(groups, begin + kAtOnce);
    return GroupRange{std::exchange(begin, end), end};
  };
  return {.what = std::move(what), .next = next, .bytes = [](const GroupRange&) { return std::size_t{0}; }};
}

}  // namespace lo::dataset
