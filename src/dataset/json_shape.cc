#include "dataset/json_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "dataset/shown.h"
#include "dataset/text_values.h"

namespace lo::dataset {
namespace {

constexpr std::size_t kFewDigits = 15;   // of an integer: it fits every type
constexpr std::size_t kShownBytes = 64;  // more than shown() shows
constexpr std::int64_t kExact = std::int64_t{1} << std::numeric_limits<double>::digits;

std::string start_of(JsonTokens value) {
  const auto& token = value.front();
  auto text = token.kind == JsonKind::list || token.kind == JsonKind::object ? json_text(value) : std::string(token.text.substr(0, kShownBytes));
  text.resize(std::min(text.size(), kShownBytes));
  return text;
}

std::string too_many() { return fmt::format("the rows have more than {} fields, with those of nested objects", kMostJsonFields); }

}  // namespace

bool fits_integer(std::string_view digits) { return IntegerText::parse(digits).has_value(); }

bool fits_number(std::string_view text, JsonKind kind) {
  if (kind == JsonKind::integer && text.size() <= kFewDigits) return true;
  auto value = NumberText::parse(text);
  if (!value || kind == JsonKind::number) return value.has_value();
  return std::abs(*value) <= static_cast<double>(kExact) - 1 || fmt::format("{:.0f}", *value) == text;
}

std::optional<std::string> JsonShape::add_row(JsonTokens members, std::int64_t row, const Types& asked) {
  Adding adding{.row = row, .fields = fields_};
  add_members(members, adding, asked);
  return std::move(adding.wrong);
}

void JsonShape::add_members(JsonTokens members, Adding& adding, const Types& asked) {
  ++objects_;
  names_.begin_object();
  for (auto value : JsonParts(members)) {
    auto name = value.front().key;
    auto& member = this->member(name, adding.fields);
    if (std::exchange(member.last_object_, objects_) == objects_) adding.wrong = fmt::format("the field {} is there twice", shown(name));
    if (adding.fields > kMostJsonFields) adding.wrong = too_many();
    if (adding.wrong) return;
    if (asked.empty() || !asked.contains(std::string(name))) member.add(value, adding);
  }
}

void JsonShape::add(JsonTokens value, Adding& adding) {
  static const Types nothing_asked;
  switch (value.front().kind) {
    case JsonKind::null: return;
    case JsonKind::boolean: return note(boolean, value, adding.row);
    case JsonKind::text: return note(text, value, adding.row);
    case JsonKind::integer:
    case JsonKind::number: return add_number(value, adding);
    case JsonKind::list:
      note(list, value, adding.row);
      for (auto item : JsonParts(value))
        if (!adding.wrong) items().add(item, adding);
      return;
    case JsonKind::object: note(object, value, adding.row); return add_members(value, adding, nothing_asked);
  }
}

void JsonShape::add_number(JsonTokens value, Adding& adding) {
  const auto& token = value.front();
  bool is_integer = token.kind == JsonKind::integer;
  note(is_integer ? integer : number, value, adding.row);
  if (is_integer && token.text.size() <= kFewDigits) return;
  if (is_integer && !fits_integer(token.text)) note(long_integer, value, adding.row);
  if (!NumberText::parse(token.text))
    note(too_large, value, adding.row);
  else if (!fits_number(token.text, token.kind))
    note(not_exact, value, adding.row);
}

void JsonShape::note(Seen seen, JsonTokens value, std::int64_t row) {
  if (!has(seen)) firsts_[seen] = {row, start_of(value)};
}

JsonShape& JsonShape::member(std::string_view name, std::size_t& fields) {
  if (auto known = names_.find(name)) return *members_[*known].second;
  names_.add(name);
  ++fields;
  return *members_.emplace_back(std::string(name), std::make_unique<JsonShape>()).second;
}

JsonShape& JsonShape::items() {
  if (!items_) items_ = std::make_unique<JsonShape>();
  return *items_;
}

Status JsonShape::merge(const JsonShape& later, std::int64_t row) {
  merge(later, row, fields_);
  if (fields_ > kMostJsonFields) return fail(Code::unacceptable, too_many());
  return {};
}

void JsonShape::merge(const JsonShape& later, std::int64_t row, std::size_t& fields) {
  for (std::size_t i = 0; i < firsts_.size(); ++i)
    if (!firsts_[i] && later.firsts_[i]) firsts_[i] = {later.firsts_[i]->row + row, later.firsts_[i]->value};
  for (const auto& [name, shape] : later.members_) member(name, fields).merge(*shape, row, fields);
  if (later.items_) items().merge(*later.items_, row, fields);
}

Result<std::vector<JsonField>> JsonShape::fields(const Types& asked) const {
  std::vector<JsonField> fields;
  for (const auto& [name, shape] : members_) {
    if (name.empty()) return fail(Code::unacceptable, "a field has no name");
    if (name == "_id") return fail(Code::unacceptable, "the field '_id' is called as the row number is: rename it");
    auto type = asked.find(name);
    if (type != asked.end()) {
      fields.push_back({.name = name, .kind = JsonColumnKind::asked, .asked = type->second});
      continue;
    }
    LO_ASSIGN(auto field, shape->field(name, {.top = name, .whole = name}));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<JsonField> JsonShape::field(std::string name, const Path& path) const {
  LO_ASSIGN(auto kind, this->kind(path));
  JsonField field{.name = std::move(name), .kind = kind};
  if (kind == JsonColumnKind::list) {
    static const JsonShape nothing;
    LO_ASSIGN(auto items, (items_ ? *items_ : nothing).field("item", {.top = path.top, .whole = path.whole + "[]"}));
    field.parts.push_back(std::move(items));
  }
  if (kind != JsonColumnKind::object) return field;
  for (const auto& [inner, shape] : members_) {
    LO_ASSIGN(auto part, shape->field(inner, {.top = path.top, .whole = path.whole + "." + inner}));
    field.parts.push_back(std::move(part));
  }
  return field;
}

Result<JsonColumnKind> JsonShape::kind(const Path& path) const {
  bool is_number = has(integer) || has(number);
  auto kinds = has(boolean) + is_number + has(text) + has(list) + has(object);
  if (kinds > 1) return clash(path);
  if (is_number) return number_kind(path);
  if (has(boolean)) return JsonColumnKind::boolean;
  if (has(list)) return JsonColumnKind::list;
  if (has(object)) return members_.empty() ? JsonColumnKind::empty_object : JsonColumnKind::object;
  return JsonColumnKind::text;
}

Result<JsonColumnKind> JsonShape::number_kind(const Path& path) const {
  if (has(too_large)) return refuse(path, too_large, "is beyond what a number can hold");
  if (!has(number) && !has(long_integer)) return JsonColumnKind::integer;
  if (has(not_exact)) return refuse(path, not_exact, has(number) ? "would lose digits as a number, which other values are" : "has more digits than a number can hold");
  return JsonColumnKind::number;
}

std::unexpected<Error> JsonShape::refuse(const Path& path, Seen seen, std::string_view why) const {
  const auto& first = *firsts_[seen];
  return fail(Code::unacceptable, fmt::format("row {}, field {}: {} {}: the type \"string\" of {} in `types` keeps all as it is written",
                                              first.row + 1, shown(path.whole), shown(first.value), why, shown(path.top)));
}

// Names the first two values that differ.
std::unexpected<Error> JsonShape::clash(const Path& path) const {
  struct Named {
    const First* first;
    std::string_view what;
  };
  std::vector<Named> found;
  for (auto [seen, what] : {std::pair{boolean, "the boolean"}, {integer, "the number"}, {number, "the number"}, {text, "the text"},
                            {list, "the list"}, {object, "the object"}})
    if (has(seen)) found.push_back({&*firsts_[seen], what});
  std::ranges::stable_sort(found, {}, [](const Named& each) { return each.first->row; });
  auto other = std::ranges::find_if(found, [&](const Named& each) { return each.what != found.front().what; });
  return fail(Code::unacceptable,
              fmt::format("row {}, field {}: {} {} where row {} has {} {}: the type \"string\" of {} in `types` keeps all as it is written",
                          other->first->row + 1, shown(path.whole), other->what, shown(other->first->value), found.front().first->row + 1,
                          found.front().what, shown(found.front().first->value), shown(path.top)));
}

}  // namespace lo::dataset
