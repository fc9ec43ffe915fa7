#include "dataset/types.h"

#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>

#include "base/id.h"

namespace lo::dataset {
namespace {

constexpr std::array<std::string_view, 5> kWords{"string", "number", "integer", "boolean", "timestamp"};

bool is_any_list(arrow::Type::type id) { return arrow::is_list_like(id) || arrow::is_list_view(id); }

}  // namespace

std::string_view to_string(Type type) { return kWords.at(static_cast<std::size_t>(type)); }

Result<Type> parse_type(std::string_view word, std::string_view pointer) {
  auto found = std::ranges::find(kWords, word);
  if (found != kWords.end()) return static_cast<Type>(found - kWords.begin());
  auto near = nearest(word, kWords);
  auto hint = near.empty() ? fmt::format("the types are {}", fmt::join(kWords, ", ")) : fmt::format("did you mean '{}'?", near);
  return fail_field(Code::unacceptable, std::string(pointer), fmt::format("'{}' is not a type: {}", word, hint));
}

std::shared_ptr<arrow::DataType> arrow_type(Type type) {
  switch (type) {
    case Type::string: return arrow::utf8();
    case Type::number: return arrow::float64();
    case Type::integer: return arrow::int64();
    case Type::boolean: return arrow::boolean();
    case Type::timestamp: return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  }
  std::unreachable();
}

std::string_view type_word(const arrow::DataType& type) {
  auto id = type.id();
  if (id == arrow::Type::DICTIONARY) return type_word(*static_cast<const arrow::DictionaryType&>(type).value_type());
  if (arrow::is_string(id) || id == arrow::Type::STRING_VIEW) return "string";
  if (arrow::is_integer(id)) return "integer";
  if (arrow::is_floating(id) || arrow::is_decimal(id)) return "number";
  if (id == arrow::Type::BOOL) return "boolean";
  if (id == arrow::Type::TIMESTAMP || arrow::is_date(id)) return "timestamp";
  return is_any_list(id) ? "list" : "other";
}

}  // namespace lo::dataset
