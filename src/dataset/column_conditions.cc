#include "dataset/column_conditions.h"

#include <arrow/array.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <type_traits>
#include <unordered_set>

namespace lo::dataset {
namespace {

// Calls `work` with the column as the class that it has.
template <class Work>
std::optional<Marks> with_values(const arrow::Array& column, const Work& work) {
  using Id = arrow::Type;
  switch (column.type_id()) {
    case Id::BOOL: return work(static_cast<const arrow::BooleanArray&>(column));
    case Id::INT8: return work(static_cast<const arrow::Int8Array&>(column));
    case Id::INT16: return work(static_cast<const arrow::Int16Array&>(column));
    case Id::INT32: return work(static_cast<const arrow::Int32Array&>(column));
    case Id::INT64: return work(static_cast<const arrow::Int64Array&>(column));
    case Id::UINT8: return work(static_cast<const arrow::UInt8Array&>(column));
    case Id::UINT16: return work(static_cast<const arrow::UInt16Array&>(column));
    case Id::UINT32: return work(static_cast<const arrow::UInt32Array&>(column));
    case Id::UINT64: return work(static_cast<const arrow::UInt64Array&>(column));
    case Id::FLOAT: return work(static_cast<const arrow::FloatArray&>(column));
    case Id::DOUBLE: return work(static_cast<const arrow::DoubleArray&>(column));
    case Id::STRING: return work(static_cast<const arrow::StringArray&>(column));
    case Id::LARGE_STRING: return work(static_cast<const arrow::LargeStringArray&>(column));
    case Id::STRING_VIEW: return work(static_cast<const arrow::StringViewArray&>(column));
    default: return std::nullopt;
  }
}

template <class Array>
constexpr bool kTexts = requires(const Array& array) {
  { array.GetView(0) } -> std::same_as<std::string_view>;
};
template <class Array>
constexpr bool kBooleans = std::is_same_v<Array, arrow::BooleanArray>;
template <class Array>
using ValueOf = std::decay_t<decltype(std::declval<const Array&>().GetView(0))>;

// NaN and infinity are shown as null, and so are null.
template <class Array>
void mark_nulls(const Array& column, bool mark, Marks& marks) {
  if (column.null_count() > 0)
    for (std::int64_t i = 0; i < column.length(); ++i)
      if (column.IsNull(i)) marks[static_cast<std::size_t>(i)] = mark;
  if constexpr (std::is_floating_point_v<ValueOf<Array>>)
    for (std::int64_t i = 0; i < column.length(); ++i)
      if (!std::isfinite(column.Value(i))) marks[static_cast<std::size_t>(i)] = mark;
}

// Texts are looked at where they are wanted alone; numbers are compared faster than they are chosen.
template <class Array, class Test>
Marks mark(const Array& column, const Marks& wanted, bool null_passes, const Test& test) {
  Marks marks(static_cast<std::size_t>(column.length()));
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if constexpr (kTexts<Array>) {
      if (wanted[i] != 0) marks[i] = test(column.GetView(static_cast<std::int64_t>(i)));
    } else {
      marks[i] = test(column.GetView(static_cast<std::int64_t>(i)));
    }
  }
  mark_nulls(column, null_passes, marks);
  return marks;
}

template <class Array>
Marks mark_none(const Array& column, bool null_passes) {
  Marks marks(static_cast<std::size_t>(column.length()));
  mark_nulls(column, null_passes, marks);
  return marks;
}

template <class Work>
Marks with_operator(Comparison comparison, const Work& work) {
  switch (comparison) {
    case Comparison::equal: return work(std::equal_to<>());
    case Comparison::greater: return work(std::greater<>());
    case Comparison::greater_or_equal: return work(std::greater_equal<>());
    case Comparison::less: return work(std::less<>());
    case Comparison::less_or_equal: return work(std::less_equal<>());
  }
  std::unreachable();
}

// The number as one of type T, if it is one.
template <class T>
std::optional<T> exactly(long double number) {
  using Limits = std::numeric_limits<T>;
  if (number < static_cast<long double>(Limits::lowest()) || number > static_cast<long double>(Limits::max())) return std::nullopt;
  auto converted = static_cast<T>(number);
  return static_cast<long double>(converted) == number ? std::optional(converted) : std::nullopt;
}

template <class Array>
Marks compare_numbers(const Array& column, const Marks& wanted, Comparison comparison, long double operand) {
  using T = ValueOf<Array>;
  return with_operator(comparison, [&](auto holds) {
    if (auto exact = exactly<T>(operand)) return mark(column, wanted, false, [&](T value) { return holds(value, *exact); });
    return mark(column, wanted, false, [&](T value) { return holds(static_cast<long double>(value), operand); });
  });
}

template <class Array>
Marks compare_values(const Array& column, const Marks& wanted, Comparison comparison, const json::value& operand) {
  if (operand.is_null()) return mark_none(column, comparison != Comparison::greater && comparison != Comparison::less);
  if constexpr (kTexts<Array>) {
    if (const auto* text = operand.if_string())
      return with_operator(comparison, [&](auto holds) {
        return mark(column, wanted, false, [&](std::string_view value) { return holds(value, std::string_view(*text)); });
      });
  } else if constexpr (kBooleans<Array>) {
    if (const auto* truth = operand.if_bool())
      return with_operator(comparison, [&](auto holds) { return mark(column, wanted, false, [&](bool value) { return holds(value, *truth); }); });
  } else if (operand.is_number()) {
    return compare_numbers(column, wanted, comparison, number_of(operand));
  }
  return mark_none(column, false);
}

// Operands by their kinds, to be found quickly.
struct Operands {
  explicit Operands(const std::vector<json::value>& all) {
    for (const auto& each : all) {
      null = null || each.is_null();
      if (each.is_number()) numbers.push_back(number_of(each));
      if (const auto* text = each.if_string()) texts.insert(std::string_view(*text));
      if (const auto* truth = each.if_bool()) truths.at(*truth ? 1 : 0) = true;
    }
    std::ranges::sort(numbers);
  }

  bool has(std::string_view text) const { return texts.contains(text); }
  bool has(bool truth) const { return truths.at(truth ? 1 : 0); }
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  bool has(T number) const {
    return std::ranges::binary_search(numbers, static_cast<long double>(number));
  }

  bool null = false;
  std::vector<long double> numbers;  // rising
  std::unordered_set<std::string_view> texts;
  std::array<bool, 2> truths{};
};

}  // namespace

std::optional<Marks> test_column(const Compare& compare, const arrow::Array& column, const Marks& wanted) {
  return with_values(column, [&](const auto& values) { return compare_values(values, wanted, compare.comparison, compare.operand); });
}

std::optional<Marks> test_column(const In& in, const arrow::Array& column, const Marks& wanted) {
  const Operands operands(in.operands);
  return with_values(column, [&](const auto& values) {
    using T = ValueOf<std::decay_t<decltype(values)>>;
    return mark(values, wanted, operands.null, [&](T value) { return operands.has(value); });
  });
}

std::optional<Marks> test_column(const Regex& regex, const arrow::Array& column, const Marks& wanted) {
  return with_values(column, [&](const auto& values) {
    if constexpr (kTexts<std::decay_t<decltype(values)>>)
      return mark(values, wanted, false, [&](std::string_view text) { return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex.pattern); });
    else
      return mark_none(values, false);
  });
}

}  // namespace lo::dataset
