#include "dataset/text_values.h"

#include <arrow/util/value_parsing.h>

#include <algorithm>
#include <charconv>

namespace lo::dataset {
namespace {

// from_chars takes no plus sign.
std::string_view without_plus(std::string_view text) {
  return text.size() > 1 && text.front() == '+' && text[1] != '-' ? text.substr(1) : text;
}

template <class T>
std::optional<T> whole(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// So many digits and nothing else that they cannot overflow: what most integers are.
std::optional<std::int64_t> few_digits(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.size() > 18) return std::nullopt;
  for (char c : text) {
    auto digit = static_cast<unsigned>(c) - static_cast<unsigned>('0');
    if (digit > 9) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(), same);
}

}  // namespace

std::optional<double> NumberText::parse(std::string_view text) { return whole<double>(without_plus(text)); }

std::optional<std::int64_t> IntegerText::parse(std::string_view text) {
  auto few = few_digits(text);
  return few ? few : whole<std::int64_t>(without_plus(text));
}

std::optional<bool> BooleanText::parse(std::string_view text) {
  if (text == "1" || equals_ignoring_case(text, "true")) return true;
  if (text == "0" || equals_ignoring_case(text, "false")) return false;
  return std::nullopt;
}

std::optional<std::int64_t> TimestampText::parse(std::string_view text) {
  std::int64_t micros = 0;
  bool zoned = false;  // an offset is applied by the parser; without one the time is UTC
  if (!arrow::internal::ParseTimestampISO8601(text.data(), text.size(), arrow::TimeUnit::MICRO, &micros, &zoned)) return std::nullopt;
  return micros;
}

bool parses_as(std::string_view text, Type type) {
  text = trim(text);
  if (text.empty() || type == Type::string) return true;
  switch (type) {
    case Type::number: return NumberText::parse(text).has_value();
    case Type::integer: return IntegerText::parse(text).has_value();
    case Type::boolean: return BooleanText::parse(text).has_value();
    case Type::timestamp: return TimestampText::parse(text).has_value();
    case Type::string: break;
  }
  std::unreachable();
}

}  // namespace lo::dataset
