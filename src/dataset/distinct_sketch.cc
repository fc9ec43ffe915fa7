#include "dataset/distinct_sketch.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

namespace lo::dataset {
namespace {

// Σ of x^(2^k) · 2^(k - 1) from k = 1 on, and x: the registers that are empty.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double sum = x;
  for (double factor = 1, before = -1; sum != before; factor += factor) {
    x *= x;
    before = sum;
    sum += x * factor;
  }
  return sum;
}

// A third of 1 - x - Σ of (1 - x^(2^-k))² · 2^-k from k = 1 on: the registers that are full.
double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double sum = 1 - x;
  for (double factor = 1, before = -1; sum != before;) {
    x = std::sqrt(x);
    before = sum;
    factor /= 2;
    sum -= (1 - x) * (1 - x) * factor;
  }
  return sum / 3;
}

}  // namespace

// The last steps of SplitMix64 (Steele, Lea and Flood, 2014), each of which can be undone.
std::uint64_t hash_of(std::uint64_t key) {
  key += 0x9e3779b97f4a7c15;
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9;
  key = (key ^ key >> 27) * 0x94d049bb133111eb;
  return key ^ key >> 31;
}

std::uint64_t hash_of(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

void DistinctSketch::add(std::uint64_t hash) {
  auto zeros = std::countl_zero(hash << kIndexBits | (std::uint64_t{1} << (kIndexBits - 1)));
  auto& place = registers_[hash >> (64 - kIndexBits)];
  place = std::max(place, static_cast<std::uint8_t>(zeros + 1));
}

void DistinctSketch::merge(const DistinctSketch& other) {
  for (std::size_t i = 0; i < kRegisters; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

double DistinctSketch::estimate() const {
  constexpr int kMost = 64 - kIndexBits;  // a register is from 0 to this and one
  constexpr auto kCount = static_cast<double>(kRegisters);
  std::array<int, kMost + 2> with{};
  for (auto place : registers_) ++with[place];
  double sum = kCount * tau(1 - with[kMost + 1] / kCount);
  for (int value = kMost; value >= 1; --value) sum = (sum + with[static_cast<std::size_t>(value)]) / 2;
  sum += kCount * sigma(with[0] / kCount);
  return kCount * kCount / (2 * std::numbers::ln2 * sum);
}

}  // namespace lo::dataset
