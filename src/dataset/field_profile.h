// What is known of the values of a field, from parts of it. Threads: one at a time.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "dataset/distinct_sketch.h"
#include "dataset/frequent_values.h"
#include "dataset/moments.h"
#include "dataset/quantile_sketch.h"
#include "dataset/table_source.h"
#include "dataset/text_counts.h"
#include "dataset/value_keys.h"

namespace lo::dataset {

class FieldProfile {
 public:
  explicit FieldProfile(std::shared_ptr<arrow::DataType> type);

  // Whether counted values say as much as the rows: numbers, booleans, times, texts; of all else only nulls are counted.
  bool knows_values() const { return is_keyed_ || is_text_; }

  // More rows of the field. Code::corrupt.
  Status add(const std::shared_ptr<arrow::Array>& rows);
  void add(const GroupCounts& counts);

  // What was learnt from the rows that follow: parts that are put together in the same order give the same.
  void merge(FieldProfile&& later);

  // As profile.h has it.
  json::object document(const std::string& name) const;

 private:
  struct Texts {
    std::string least, greatest;  // cut
    std::int64_t shortest, longest;
  };

  Status add_slice(const std::shared_ptr<arrow::Array>& rows);
  void add_values(const arrow::Array& values, std::span<const std::int64_t> counts);
  void add_keys(std::vector<KeyCount> keys);
  void add_texts(const std::vector<TextCount>& texts);
  void widen(const Texts& texts);
  void tell_distinct(json::object& document) const;
  void tell_keys(json::object& document) const;
  void tell_texts(json::object& document) const;
  void tell_top(json::object& document) const;

  std::shared_ptr<arrow::DataType> type_;   // of the field
  std::shared_ptr<arrow::DataType> plain_;  // that its values are read as
  bool is_keyed_;
  bool is_text_;
  std::int64_t count_ = 0;
  std::int64_t nulls_ = 0;
  std::int64_t not_finite_ = 0;  // of the nulls
  FrequentValues frequent_;
  DistinctSketch distinct_;
  QuantileSketch quantiles_;
  Moments moments_;
  std::optional<std::uint64_t> least_, greatest_;  // keys
  std::optional<Texts> texts_;
};

}  // namespace lo::dataset
