#include "dataset/infer.h"

#include <array>

#include "dataset/text_values.h"

namespace lo::dataset {
namespace {

constexpr std::array<Type, 4> kNarrowFirst{Type::integer, Type::number, Type::boolean, Type::timestamp};

constexpr std::size_t bit(Type type) { return static_cast<std::size_t>(type); }

bool allows(std::string_view text, Type type) {
  bool is_number = type == Type::integer || type == Type::number;
  return !(is_number && has_leading_zero(trim(text))) && parses_as(text, type);
}

}  // namespace

void TypeGuess::add(std::string_view value) {
  has_values_ = has_values_ || !value.empty();
  for (auto type : kNarrowFirst)
    if (types_[bit(type)] && !allows(value, type)) types_.reset(bit(type));
}

void TypeGuess::add(const TypeGuess& other) {
  types_ &= other.types_;
  has_values_ = has_values_ || other.has_values_;
}

Type TypeGuess::narrowest() const {
  if (!has_values_) return Type::string;
  for (auto type : kNarrowFirst)
    if (types_[bit(type)]) return type;
  return Type::string;
}

}  // namespace lo::dataset
