#include "dataset/histogram.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "dataset/arrow_error.h"
#include "dataset/cell.h"
#include "dataset/group_ranges.h"
#include "dataset/project.h"
#include "dataset/table_cache.h"
#include "dataset/table_file.h"

namespace lo::dataset {
namespace {

struct Count {
  json::value value;
  std::int64_t count = 0;
};

int rank(const json::value& value) {
  if (value.is_null()) return 0;
  if (value.is_bool()) return 1;
  if (value.is_number()) return 2;
  return value.is_string() ? 3 : 4;
}

bool is_less(const json::value& a, const json::value& b) {
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (a.is_bool()) return a.get_bool() < b.get_bool();
  if (a.is_int64() && b.is_int64()) return a.get_int64() < b.get_int64();
  if (a.is_number()) return a.to_number<double>() < b.to_number<double>();
  if (a.is_string()) return a.get_string() < b.get_string();
  return write_json(a) < write_json(b);
}

// Calls `take` with the column of every row group.
template <class Take>
Status each_group(TableReader& reader, int column, const std::stop_token& stop, Take take) {
  for (int group = 0; group < reader.groups(); ++group) {
    if (stop.stop_requested()) return fail(Code::cancelled, "the histogram was cancelled");
    LO_ASSIGN(auto batch, reader.read(group, std::vector<int>{column}));
    LO_TRY(take(*batch->column(0)));
  }
  return {};
}

// --- Value by value ---

class ValueCounts {
 public:
  void add(const GroupCounts& group) {
    if (group.nulls > 0) add(nullptr, group.nulls);
    for (std::size_t i = 0; i < group.counts.size(); ++i)
      if (group.counts[i] > 0) add(cell_json(*group.values, static_cast<std::int64_t>(i)), group.counts[i]);
  }

  void add(ValueCounts&& other) {
    for (auto& [text, entry] : other.counts_) add(text, std::move(entry.value), entry.count);
  }

  bool are_too_many() const { return counts_.size() > kMostDistinct; }

  json::array documents() && {
    std::vector<Count> sorted;
    for (auto& [text, entry] : counts_) sorted.push_back(std::move(entry));
    std::ranges::sort(sorted, [](const Count& a, const Count& b) {
      return a.count != b.count ? a.count > b.count : is_less(a.value, b.value);
    });
    json::array out;
    for (auto& entry : sorted) out.push_back(json::object{{"_id", std::move(entry.value)}, {"count", entry.count}});
    return out;
  }

 private:
  void add(json::value value, std::int64_t count) {
    auto text = write_json(value);
    add(text, std::move(value), count);
  }

  void add(const std::string& text, json::value value, std::int64_t count) {
    auto& entry = counts_[text];
    if (entry.count == 0) entry.value = std::move(value);
    entry.count += count;
  }

  std::unordered_map<std::string, Count> counts_;  // by the value's JSON text
};

class FieldCounts {
 public:
  FieldCounts(std::filesystem::path table, TableCache& cache, int column) : table_(std::move(table)), cache_(cache), column_(column) {}

  // Nothing when the values are too many.
  Result<std::optional<ValueCounts>> run(int groups, const std::stop_token& stop) const {
    ValueCounts all;
    auto work = [this](const GroupRange& part) { return count(part); };
    auto take = [&all](const GroupRange&, const Result<Counted>& counts) -> Status {
      if (!counts) return fail(counts.error());
      all.add(std::move(**counts));
      return all.are_too_many() ? Status(fail(Code::unacceptable, "too many values")) : Status();
    };
    auto status = Pipeline(group_ranges(groups, "the histogram"), stop, work, take).run();
    if (all.are_too_many()) return std::nullopt;
    if (!status) return fail(status.error());
    return all;
  }

 private:
  using Counted = std::shared_ptr<ValueCounts>;

  Result<Counted> count(const GroupRange& part) const {
    LO_ASSIGN(auto reader, TableReader::open(table_, &cache_));
    auto counts = std::make_shared<ValueCounts>();
    for (int group = part.begin; group < part.end && !counts->are_too_many(); ++group) {
      LO_ASSIGN(auto found, reader.count(group, column_));
      counts->add(found);
    }
    return counts;
  }

  const std::filesystem::path table_;
  TableCache& cache_;
  const int column_;
};

Result<json::array> count_values(const std::filesystem::path& table, TableCache& cache, const TableReader& reader, int column, const std::string& pointer,
                                 const std::stop_token& stop) {
  LO_ASSIGN(auto counts, FieldCounts(table, cache, column).run(reader.groups(), stop));
  if (counts) return std::move(*counts).documents();
  return fail_field(Code::unacceptable, pointer,
                    fmt::format("the field '{}' has over {} different values: give \"bins\" for a numeric field, or choose another",
                                reader.schema()->field(column)->name(), kMostDistinct));
}

// --- In ranges ---

// Calls `take` with each finite number of the column; gives how many cells are none.
template <class Take>
Result<std::int64_t> each_number(TableReader& reader, int column, const std::stop_token& stop, Take take) {
  std::int64_t others = 0;
  LO_TRY(each_group(reader, column, stop, [&](const arrow::Array& part) -> Status {
    LO_ARROW_ASSIGN(auto cast, arrow::compute::Cast(part, arrow::float64(), arrow::compute::CastOptions::Unsafe()), "read numbers");
    const auto& numbers = static_cast<const arrow::DoubleArray&>(*cast);
    for (std::int64_t i = 0; i < numbers.length(); ++i) {
      if (numbers.IsNull(i) || !std::isfinite(numbers.Value(i)))
        ++others;
      else
        take(numbers.Value(i));
    }
    return {};
  }));
  return others;
}

json::value number(double value) {
  auto integral = std::trunc(value) == value && std::abs(value) < 9e15;
  return integral ? json::value(static_cast<std::int64_t>(value)) : json::value(value);
}

Result<json::array> count_bins(TableReader& reader, int column, int bins, const std::stop_token& stop) {
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  LO_ASSIGN(auto nulls, each_number(reader, column, stop, [&](double value) {
              least = std::min(least, value);
              most = std::max(most, value);
            }));
  json::array out;
  if (nulls > 0) out.push_back(json::object{{"_id", nullptr}, {"count", nulls}});
  if (least > most) return out;
  if (least == most) bins = 1;
  auto width = most / bins - least / bins;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(bins));
  LO_ASSIGN(std::ignore, each_number(reader, column, stop, [&](double value) {
              auto at = width > 0 ? (value - least) / width : 0;
              ++counts[static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(bins - 1)))];
            }));
  for (int i = 0; i < bins; ++i) {
    auto to = i + 1 == bins ? most : least + width * (i + 1);
    out.push_back(json::object{{"_id", number(least + width * i)}, {"to", number(to)}, {"count", counts[static_cast<std::size_t>(i)]}});
  }
  return out;
}

bool holds_numbers(const arrow::DataType& type) { return arrow::is_integer(type.id()) || arrow::is_floating(type.id()); }

}  // namespace

Result<json::array> histogram(const std::filesystem::path& table, std::span<const std::string> names, std::optional<int> bins,
                              std::stop_token stop) {
  TableCache cache(0);  // of what the file says of itself, for the readers that work side by side
  LO_ASSIGN(auto reader, TableReader::open(table, &cache));
  LO_TRY(check_projection(names, reader.fields()));
  json::array documents;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto column = reader.schema()->GetFieldIndex(names[i]);
    auto in_bins = bins && holds_numbers(*reader.schema()->field(column)->type());
    LO_ASSIGN(auto counts, in_bins ? count_bins(reader, column, *bins, stop)
                                   : count_values(table, cache, reader, column, fmt::format("/names/{}", i), stop));
    json::object document;
    document[names[i]] = std::move(counts);
    documents.push_back(std::move(document));
  }
  return documents;
}

}  // namespace lo::dataset
