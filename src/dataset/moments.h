// Number, mean and spread of numbers that come in parts: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances" (1979). Pure.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace lo::dataset {

struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double squares = 0;  // of the distances to the mean, added up

  void merge(const Moments& other) {
    if (other.count == 0) return;
    auto mine = static_cast<double>(count), theirs = static_cast<double>(other.count);
    auto distance = other.mean - mean;
    count += other.count;
    mean += distance * (theirs / (mine + theirs));
    squares += other.squares + distance * distance * (mine * theirs / (mine + theirs));
  }

  // Of a sample: what pandas and SQL call the standard deviation. NaN of fewer than two.
  double standard_deviation() const {
    return count < 2 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(squares / static_cast<double>(count - 1));
  }
};

}  // namespace lo::dataset
