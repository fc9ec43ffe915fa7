#include "workflow/references.h"

#include <algorithm>

namespace lo::workflow {
namespace {

constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

constexpr std::string_view kClock = "clock";  // "$clock" is the time for which a step runs, not a name

void add_once(std::vector<std::string>& names, std::string name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
}

void collect(const json::value& value, std::vector<std::string>& names) {
  if (const auto* text = value.if_string()) {
    if (auto name = name_in(*text)) add_once(names, *std::move(name));
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) collect(element, names);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) collect(member.value(), names);
  }
}

}  // namespace

std::optional<std::string> name_in(std::string_view text) {
  if (!text.starts_with('$')) return {};
  text.remove_prefix(text.starts_with("$$") ? 2 : 1);
  auto end = std::min(text.find_first_not_of(kNameCharacters), text.size());
  bool ends_well = end == text.size() || text[end] == '.' || text[end] == '@';
  if (end == 0 || !ends_well || text.substr(0, end) == kClock) return {};
  return std::string(text.substr(0, end));
}

std::vector<std::string> references_of(const Service& service, const json::object& body) {
  std::vector<std::string> names;
  auto references = service.references;
  references.push_back("environment");
  for (auto key : references) {
    auto text = string_or(body, key);
    if (!text.empty()) add_once(names, text.substr(0, text.find('@')));
  }
  for (auto key : service.parameters)
    if (const auto* parameters = body.if_contains(key)) collect(*parameters, names);
  return names;
}

}  // namespace lo::workflow
