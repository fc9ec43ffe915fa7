// How many different values there are, in 16 kB however many: HyperLogLog, with the estimate of Otmar Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches" (arXiv:1702.01284), which needs no correction at any size. Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace lo::dataset {

// Hashes whose bits all depend on all of the value. Different keys have different ones.
std::uint64_t hash_of(std::uint64_t key);
std::uint64_t hash_of(std::string_view text);

class DistinctSketch {
 public:
  static constexpr double kRelativeError = 0.0081;  // standard error: 1.04 / √16384

  void add(std::uint64_t hash);
  void merge(const DistinctSketch& other);
  double estimate() const;

 private:
  static constexpr int kIndexBits = 14;
  static constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;

  std::array<std::uint8_t, kRegisters> registers_{};  // of the hashes that fall to each: the most zeros they begin with, and one
};

}  // namespace lo::dataset
