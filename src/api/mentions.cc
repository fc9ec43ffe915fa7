#include "api/mentions.h"

#include <algorithm>
#include <fmt/format.h>

namespace lo::api {
namespace {

bool belongs_to_reference(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '@';
}

// A key of an object as a part of a JSON pointer (RFC 6901).
std::string escaped(std::string_view key) {
  std::string out;
  for (char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

Status add_text(std::string_view text, const std::string& pointer, std::vector<engine::Mention>& found) {
  if (!text.starts_with('$')) return {};
  text.remove_prefix(text.starts_with("$$") ? 2 : 1);
  auto end = std::ranges::find_if_not(text, belongs_to_reference);
  std::string reference(text.begin(), end);
  if (reference.empty() || (end != text.end() && *end != '.'))
    return fail_field(Code::unacceptable, pointer,
                      fmt::format("\"${}\" is no reference: a name must follow the $ (a text that must begin with $ takes a "
                                  "backslash before it)",
                                  text.substr(0, 140)));
  if (reference == "clock") return {};
  if (std::ranges::find(found, reference, &engine::Mention::text) == found.end())
    found.push_back({.text = std::move(reference), .pointer = pointer});
  return {};
}

Status add_all(const json::value& value, const std::string& pointer, std::vector<engine::Mention>& found) {
  if (const auto* text = value.if_string()) return add_text(*text, pointer, found);
  if (const auto* object = value.if_object())
    for (const auto& member : *object)
      LO_TRY(add_all(member.value(), pointer + "/" + escaped(member.key()), found));
  if (const auto* array = value.if_array())
    for (const auto& element : *array)
      LO_TRY(add_all(element, fmt::format("{}/{}", pointer, &element - array->begin()), found));
  return {};
}

}  // namespace

Result<std::vector<engine::Mention>> find_mentions(const json::value& value, const std::string& pointer) {
  std::vector<engine::Mention> found;
  LO_TRY(add_all(value, pointer, found));
  return found;
}

}  // namespace lo::api
