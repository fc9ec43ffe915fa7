#include "dataset/column_match.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <numeric>

#include "dataset/cell.h"
#include "dataset/column_conditions.h"

namespace lo::dataset {
namespace {

bool is_nested(const arrow::Array& column) {
  return arrow::is_nested(column.type_id()) || column.type_id() == arrow::Type::DICTIONARY || column.type_id() == arrow::Type::EXTENSION;
}

std::shared_ptr<arrow::Array> numbered(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return std::make_shared<arrow::Int64Array>(count, arrow::Buffer::FromVector(std::move(numbers)));
}

// What a path leads to: values of a column, parts of nested ones (neither), or nothing.
struct Place {
  std::shared_ptr<arrow::Array> column;
  bool missing = false;
};

class Matcher {
 public:
  Matcher(const arrow::RecordBatch& batch, std::int64_t first_id) : batch_(batch), first_id_(first_id) {}

  // Undefined for rows that are not wanted.
  Marks match(const Condition& condition, const Marks& wanted) const {
    return std::visit([&](const auto& node) { return match(node, condition, wanted); }, condition.node());
  }

 private:
  Marks match(const All& all, const Condition&, const Marks& wanted) const {
    auto marks = wanted;
    for (const auto& each : all.of) {
      auto met = match(*each, marks);
      for (std::size_t i = 0; i < marks.size(); ++i) marks[i] = std::min(marks[i], met[i]);
    }
    return marks;
  }

  Marks match(const Any& any, const Condition&, const Marks& wanted) const {
    auto open = wanted;
    for (const auto& each : any.of) {
      auto met = match(*each, open);
      for (std::size_t i = 0; i < open.size(); ++i) open[i] = open[i] > met[i];
    }
    Marks marks(wanted.size());
    for (std::size_t i = 0; i < marks.size(); ++i) marks[i] = wanted[i] > open[i];
    return marks;
  }

  Marks match(const Not& negated, const Condition&, const Marks& wanted) const {
    auto marks = match(*negated.of, wanted);
    for (auto& mark : marks) mark = mark == 0;
    return marks;
  }

  template <class Leaf>
  Marks match(const Leaf& leaf, const Condition& condition, const Marks& wanted) const {
    auto place = place_of(leaf.path);
    if (place.missing) return Marks(wanted.size(), condition.matches({}));
    if (place.column) {
      if constexpr (std::is_same_v<Leaf, Exists>) {
        return Marks(wanted.size(), 1);
      } else if (auto marks = test_column(leaf, *place.column, wanted)) {
        return *std::move(marks);
      }
    }
    return match_documents(condition, wanted);
  }

  Marks match_documents(const Condition& condition, const Marks& wanted) const {
    std::vector<std::string> names;
    collect_fields(condition, names);
    std::vector<int> indexes;
    for (int i = 0; i < batch_.num_columns(); ++i)
      if (std::ranges::find(names, batch_.column_name(i)) != names.end()) indexes.push_back(i);
    auto named = batch_.SelectColumns(indexes).ValueOrDie();
    Marks marks(wanted.size());
    for (std::size_t i = 0; i < marks.size(); ++i) {
      auto row = static_cast<std::int64_t>(i);
      if (wanted[i] != 0) marks[i] = condition.matches(row_json(*named, row, first_id_ + row));
    }
    return marks;
  }

  Place place_of(const std::string& path) const {
    if (path == "_id") return {.column = numbered(first_id_, batch_.num_rows())};
    if (auto dot = path.find('.'); dot != std::string::npos)
      if (auto outer = column(path.substr(0, dot)); outer && is_nested(*outer)) return {};
    auto found = column(path);
    return {.column = found, .missing = !found};
  }

  // The first of equal names, as in row_json().
  std::shared_ptr<arrow::Array> column(const std::string& name) const {
    for (int i = 0; i < batch_.num_columns(); ++i)
      if (batch_.column_name(i) == name) return batch_.column(i);
    return nullptr;
  }

  const arrow::RecordBatch& batch_;
  const std::int64_t first_id_;
};

}  // namespace

Marks matching(const Condition& condition, const arrow::RecordBatch& batch, std::int64_t first_id) {
  return Matcher(batch, first_id).match(condition, Marks(static_cast<std::size_t>(batch.num_rows()), 1));
}

}  // namespace lo::dataset
