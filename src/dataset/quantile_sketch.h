// Quantiles of values that come in any order, in bounded memory, with a bound on their error that always holds: values are kept sorted with the number
// that each stands for, and thinned out, 16 parts to one of 2,048 values, whenever there are 16 (after Munro and Paterson, 1980, and Manku, Rajagopalan
// and Lindsay, 1998). Exact while there are few different ones. Threads: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataset/value_keys.h"

namespace lo::dataset {

class QuantileSketch {
 public:
  // Keys that rise.
  void add(std::vector<KeyCount> keys);
  void merge(QuantileSketch&& later);

  // By how much the rank of a quantile can be wrong: one that is asked for rank r has one from r - error() to r + error().
  std::int64_t error() const;

  std::int64_t kept() const;  // keys

  // Of each share from 0 to 1, rising: the least key that this share of all is not above. None when there are no keys.
  std::vector<std::uint64_t> at(std::span<const double> shares) const;

 private:
  static constexpr std::size_t kFanIn = 16;
  static constexpr std::int64_t kKept = 2048;

  struct Part {
    std::vector<KeyCount> keys;
    std::int64_t error = 0;
  };
  static Part joined(std::vector<Part> parts);
  static void thin_out(Part& part);
  void push(std::size_t level, Part part);

  std::vector<std::vector<Part>> levels_;
};

}  // namespace lo::dataset
