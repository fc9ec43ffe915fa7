#include "dataset/infer.h"

#include <arrow/array.h>
#include <array>

#include "dataset/convert.h"

namespace lo::dataset {
namespace {

constexpr std::array<Type, 4> kNarrowFirst{Type::integer, Type::number, Type::boolean, Type::timestamp};

constexpr std::size_t bit(Type type) { return static_cast<std::size_t>(type); }

bool has_leading_zero(std::string_view text) {
  auto digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  return digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
}

bool allows(std::string_view text, Type type) {
  bool is_number = type == Type::integer || type == Type::number;
  return !(is_number && has_leading_zero(text)) && parses_as(text, type);
}

bool has_value(const arrow::StringArray& texts) { return texts.value_offset(texts.length()) > texts.value_offset(0); }

bool all_allow(const arrow::StringArray& texts, Type type) {
  for (std::int64_t row = 0; row < texts.length(); ++row)
    if (!allows(texts.GetView(row), type)) return false;
  return true;
}

}  // namespace

TypeSet possible_types(const arrow::StringArray& texts) {
  TypeSet types;
  types.set(bit(Type::string));
  types.set(kAnyValue, has_value(texts));
  for (auto type : kNarrowFirst) types.set(bit(type), all_allow(texts, type));
  return types;
}

TypeSet merge(TypeSet a, TypeSet b) {
  auto both = a & b;
  both.set(kAnyValue, a[kAnyValue] || b[kAnyValue]);
  return both;
}

Type narrowest(TypeSet types) {
  if (!types[kAnyValue]) return Type::string;
  for (auto type : kNarrowFirst)
    if (types[bit(type)]) return type;
  return Type::string;
}

}  // namespace lo::dataset
