// The values that occur most often, in bounded memory: the summary of Misra and Gries, "Finding repeated elements" (1982), merged as by Agarwal and
// others, "Mergeable summaries" (2012). Each value's count is too small by error() at most, and one that is not there occurs error() times at most;
// error() is at most a 4,097th of all. While there are 4,096 different values or fewer all are there, and the counts exact. Threads: one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace lo::dataset {

// A number by its key, a text by its hash and how it begins.
struct FrequentValue {
  std::uint64_t id = 0;
  std::string text = {};
  bool operator==(const FrequentValue&) const = default;
};

class FrequentValues {
 public:
  static constexpr std::size_t kMost = 4096;

  // What is to be taken off each of these counts, of different values, before those that are left are added: 0 where they are few.
  static std::int64_t surplus(std::span<const std::int64_t> counts);

  // A part of the whole: its values are added, those but `surplus` of each, then it is closed.
  void add(FrequentValue value, std::int64_t count) { counts_[std::move(value)] += count; }
  void close(std::int64_t surplus);

  void merge(FrequentValues&& other);

  bool is_exact() const { return error_ == 0; }
  std::int64_t error() const { return error_; }
  std::int64_t size() const { return std::ssize(counts_); }

  struct Counted {
    FrequentValue value;
    std::int64_t count;
  };
  // By count down, then by value: of those that certainly occur more often than any that is not kept.
  std::vector<Counted> first(std::size_t most) const;

 private:
  struct Hash {
    std::size_t operator()(const FrequentValue& value) const;
  };
  void shrink();

  std::unordered_map<FrequentValue, std::int64_t, Hash> counts_;
  std::int64_t error_ = 0;
};

}  // namespace lo::dataset
