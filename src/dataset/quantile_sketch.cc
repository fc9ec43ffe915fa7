#include "dataset/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace lo::dataset {
namespace {

std::int64_t total(const std::vector<KeyCount>& keys) {
  return std::accumulate(keys.begin(), keys.end(), std::int64_t{0}, [](std::int64_t sum, const KeyCount& each) { return sum + each.count; });
}

void append(std::vector<KeyCount>& keys, std::uint64_t key, std::int64_t count) {
  if (!keys.empty() && keys.back().key == key)
    keys.back().count += count;
  else
    keys.push_back({key, count});
}

}  // namespace

// Of each of kKept parts of equal size, the value in its middle stands for all of it: what lies before any value changes by half a part at most.
void QuantileSketch::thin_out(Part& part) {
  if (std::ssize(part.keys) <= kKept) return;
  auto all = total(part.keys);
  std::vector<KeyCount> kept;
  auto at = part.keys.begin();
  for (std::int64_t i = 0, from = 0, before = 0; i < kKept; ++i) {
    auto to = all / kKept * (i + 1) + all % kKept * (i + 1) / kKept;
    auto middle = from + (to - from) / 2;
    while (before + at->count <= middle) before += (at++)->count;
    append(kept, at->key, to - from);
    from = to;
  }
  part.keys = std::move(kept);
  part.error += (all / kKept + 1) / 2;
}

QuantileSketch::Part QuantileSketch::joined(std::vector<Part> parts) {
  Part all;
  std::vector<KeyCount> keys;
  for (auto& part : parts) {
    all.error += part.error;
    keys.insert(keys.end(), part.keys.begin(), part.keys.end());
  }
  all.keys = added_up(std::move(keys));
  return all;
}

void QuantileSketch::push(std::size_t level, Part part) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].push_back(std::move(part));
  if (levels_[level].size() < kFanIn) return;
  auto all = joined(std::exchange(levels_[level], {}));
  thin_out(all);
  push(level + 1, std::move(all));
}

void QuantileSketch::add(std::vector<KeyCount> keys) {
  if (keys.empty()) return;
  Part part{.keys = std::move(keys)};
  thin_out(part);
  push(0, std::move(part));
}

void QuantileSketch::merge(QuantileSketch&& later) {
  for (std::size_t level = 0; level < later.levels_.size(); ++level)
    for (auto& part : later.levels_[level]) push(level, std::move(part));
  later.levels_.clear();
}

std::int64_t QuantileSketch::error() const {
  std::int64_t sum = 0;
  for (const auto& level : levels_)
    for (const auto& part : level) sum += part.error;
  return sum;
}

std::int64_t QuantileSketch::kept() const {
  std::int64_t sum = 0;
  for (const auto& level : levels_)
    for (const auto& part : level) sum += std::ssize(part.keys);
  return sum;
}

std::vector<std::uint64_t> QuantileSketch::at(std::span<const double> shares) const {
  std::vector<Part> parts;
  for (const auto& level : levels_) parts.insert(parts.end(), level.begin(), level.end());
  auto keys = joined(std::move(parts)).keys;
  std::vector<std::uint64_t> found;
  if (keys.empty()) return found;
  auto all = static_cast<double>(total(keys));
  auto at = keys.begin();
  auto up_to = at->count;
  for (auto share : shares) {
    auto rank = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(share * all)));
    while (up_to < rank && at + 1 != keys.end()) up_to += (++at)->count;
    found.push_back(at->key);
  }
  return found;
}

}  // namespace lo::dataset
