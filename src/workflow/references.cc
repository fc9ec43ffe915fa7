#include "workflow/references.h"

#include <algorithm>

namespace lo::workflow {
namespace {

constexpr std::string_view kNameCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

constexpr std::string_view kClock = "clock";  // "$clock" is the time for which a step runs, not a name

void add_once(std::vector<std::string>& names, std::string name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
}

// Calls `visit` with every text in `value`, at any depth.
void each_text(const json::value& value, const auto& visit) {
  if (const auto* text = value.if_string()) {
    visit(std::string_view(*text));
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) each_text(element, visit);
  } else if (const auto* object = value.if_object()) {
    for (const auto& member : *object) each_text(member.value(), visit);
  }
}

// The word after the sign in "$word", "$$word", "$word@3" and "$word.key"; nothing for every other text.
std::optional<std::string_view> word_in(std::string_view text) {
  if (!text.starts_with('$')) return {};
  text.remove_prefix(text.starts_with("$$") ? 2 : 1);
  auto end = std::min(text.find_first_not_of(kNameCharacters), text.size());
  bool ends_well = end == text.size() || text[end] == '.' || text[end] == '@';
  if (end == 0 || !ends_well) return {};
  return text.substr(0, end);
}

}  // namespace

std::optional<std::string> name_in(std::string_view text) {
  auto word = word_in(text);
  if (!word || *word == kClock) return {};
  return std::string(*word);
}

bool asks_for_clock(const Service& service, const json::object& body) {
  bool found = false;
  for (auto key : service.parameters)
    if (const auto* parameters = body.if_contains(key))
      each_text(*parameters, [&](std::string_view text) { found = found || word_in(text) == kClock; });
  return found;
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
    if (const auto* parameters = body.if_contains(key))
      each_text(*parameters, [&](std::string_view text) {
        if (auto name = name_in(text)) add_once(names, *std::move(name));
      });
  return names;
}

}  // namespace lo::workflow
