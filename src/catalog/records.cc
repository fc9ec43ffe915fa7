#include "catalog/records.h"

namespace lo::catalog {

std::vector<std::string> digests_in(const Revision& revision) {
  std::vector<std::string> digests;
  auto add = [&](const json::value& part) {
    const auto* object = part.if_object();
    if (object == nullptr || object->contains("inline")) return;
    if (auto digest = string_or(*object, "digest"); !digest.empty()) digests.push_back(std::move(digest));
  };
  if (const auto* upload = revision.request.if_contains("upload")) add(*upload);
  if (const auto* parts = revision.result.if_contains("parts"); parts != nullptr && parts->is_array())
    for (const auto& part : parts->get_array()) add(part);
  return digests;
}

std::string label_text(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  return write_json(value);
}

bool has_label(const json::object& labels, std::string_view key, std::string_view value) {
  const auto* found = labels.if_contains(key);
  return found != nullptr && (value.empty() || label_text(*found) == value);
}

bool EventFilter::matches(const Event& event) const {
  if (!name.empty() && event.name != name) return false;
  if (!service.empty() && event.service != service) return false;
  if (label_key.empty()) return true;
  const auto* labels = event.data.if_contains("labels");
  return labels != nullptr && labels->is_object() && has_label(labels->get_object(), label_key, label_value);
}

}  // namespace lo::catalog
