#include "workflow/request_difference.h"

#include <algorithm>
#include <set>

#include "workflow/services.h"

namespace lo::workflow {
namespace {

constexpr std::string_view kContent = "content";

bool is_empty(const json::value& value) {
  if (value.is_null()) return true;
  if (const auto* text = value.if_string()) return text->empty();
  if (const auto* array = value.if_array()) return array->empty();
  if (const auto* object = value.if_object()) return object->empty();
  return false;
}

bool is_beside_the_request(const Service& service, std::string_view key) {
  if (key == "labels") return true;                              // they belong to the step, whatever its revision
  if (key == service.name_key || (key == "name" && service.name_key == "modelName"))
    return service.name != kBuilder;  // a builder also reads the dataset that names it
  return service.name == kBuilder && (key == "name" || key == "classifiersList" || key == "classifier");
}

// Only what counts: no names, nothing that goes without saying.
json::object essence(const Service& service, const json::object& body) {
  json::object essential;
  for (const auto& member : body) {
    std::string_view key = member.key();
    if (!is_beside_the_request(service, key) && !goes_without_saying(service, key, member.value())) essential[key] = member.value();
  }
  return essential;
}

std::string stored_digest(const json::object& stored) {
  const auto* upload = stored.if_contains(kUpload);
  return upload != nullptr && upload->is_object() ? string_or(upload->get_object(), "digest") : "";
}

json::value default_of(const Service& service, std::string_view key) {
  const auto* fallback = service.defaults.if_contains(key);
  return fallback == nullptr ? json::value(nullptr) : *fallback;
}

bool same(const json::object& a, const json::object& b, std::string_view key) {
  const auto *left = a.if_contains(key), *right = b.if_contains(key);
  if (left == nullptr || right == nullptr) return left == right;
  return canonical_json(*left) == canonical_json(*right);
}

}  // namespace

bool goes_without_saying(const Service& service, std::string_view key, const json::value& value) {
  bool is_off = (key == "autoUpdate" && value == false) || (key == "cache" && value == "off") || (key == "isolation" && value == "process");
  const auto* fallback = service.defaults.if_contains(key);
  return is_empty(value) || is_off || (fallback != nullptr && canonical_json(*fallback) == canonical_json(value));
}

bool Difference::has_content() const { return std::ranges::find(members, kContent) != members.end(); }

Difference difference(const FileStep& step, const json::object& stored) {
  const auto& service = *find_service(step.service);
  auto wanted = essence(service, step.body), had = essence(service, stored);
  Difference result;
  had.erase(kUpload);
  had.erase("line");  // which the server adds
  if (step.upload) {
    had.erase(service.file);
    if (step.upload->digest != stored_digest(stored)) result.members.emplace_back(kContent);
  }
  std::set<std::string_view> keys;
  for (const auto& member : wanted) keys.insert(member.key());
  for (const auto& member : had) keys.insert(member.key());
  for (auto key : keys) {
    if (same(wanted, had, key)) continue;
    result.members.emplace_back(key);
    result.patch[key] = wanted.contains(key) ? wanted.at(key) : default_of(service, key);
  }
  std::ranges::sort(result.members);
  return result;
}

}  // namespace lo::workflow
