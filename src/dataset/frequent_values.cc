#include "dataset/frequent_values.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "dataset/distinct_sketch.h"

namespace lo::dataset {

std::size_t FrequentValues::Hash::operator()(const FrequentValue& value) const { return hash_of(value.id); }

std::int64_t FrequentValues::surplus(std::span<const std::int64_t> counts) {
  if (counts.size() <= kMost) return 0;
  std::vector<std::int64_t> sorted(counts.begin(), counts.end());
  std::ranges::nth_element(sorted, sorted.begin() + kMost, std::greater());
  return sorted[kMost];
}

void FrequentValues::close(std::int64_t surplus) {
  error_ += surplus;
  shrink();
}

void FrequentValues::merge(FrequentValues&& other) {
  for (auto& [value, count] : other.counts_) counts_[value] += count;
  error_ += other.error_;
  other.counts_.clear();
  shrink();
}

void FrequentValues::shrink() {
  if (counts_.size() <= kMost) return;
  std::vector<std::int64_t> counts;
  counts.reserve(counts_.size());
  for (const auto& [value, count] : counts_) counts.push_back(count);
  auto off = surplus(counts);
  error_ += off;
  for (auto& [value, count] : counts_) count -= off;
  std::erase_if(counts_, [](const auto& each) { return each.second <= 0; });
}

std::vector<FrequentValues::Counted> FrequentValues::first(std::size_t most) const {
  std::vector<Counted> found;
  for (const auto& [value, count] : counts_)
    if (count > error_) found.push_back({value, count});
  auto comes_first = [](const Counted& a, const Counted& b) {
    return std::tie(b.count, a.value.text, a.value.id) < std::tie(a.count, b.value.text, b.value.id);
  };
  auto end = found.begin() + static_cast<std::ptrdiff_t>(std::min(most, found.size()));
  std::ranges::partial_sort(found, end, comes_first);
  found.erase(end, found.end());
  return found;
}

}  // namespace lo::dataset
