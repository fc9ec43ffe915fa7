#include "api/fields.h"

#include <fmt/format.h>

#include "base/id.h"
#include "engine/cache_key.h"
#include "engine/policy.h"
#include "engine/schedule.h"

namespace lo::api {
namespace {

std::string shown(const json::value& value) {
  constexpr std::size_t kLongest = 60;
  auto text = write_json(value);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

}  // namespace

const json::value* Fields::find(std::string_view key) {
  known_.emplace(key);
  const auto* value = body_.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool Fields::has(std::string_view key) const {
  const auto* value = body_.if_contains(key);
  return value != nullptr && !value->is_null();
}

void Fields::accept(std::string_view key) { known_.emplace(key); }

void Fields::refuse(std::string_view key, std::string why) {
  errors_.push_back({.pointer = fmt::format("/{}", key), .detail = std::move(why)});
}

void Fields::refuse(const Error& error) {
  if (error.fields.empty()) errors_.push_back({.pointer = "", .detail = error.message});
  errors_.insert(errors_.end(), error.fields.begin(), error.fields.end());
}

std::optional<std::string> Fields::optional_text(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(*text);
  refuse(key, fmt::format("{} must be a text, not {}", key, shown(*value)));
  return std::nullopt;
}

std::string Fields::text(std::string_view key) {
  if (find(key) == nullptr) {
    refuse(key, fmt::format("{} is missing", key));
    return {};
  }
  auto text = optional_text(key);
  if (text && text->empty()) refuse(key, fmt::format("{} is empty", key));
  return std::move(text).value_or("");
}

std::optional<std::string> Fields::optional_name(std::string_view key) {
  auto name = optional_text(key);
  if (!name) return std::nullopt;
  if (auto valid = check_name(*name, fmt::format("/{}", key)); !valid) refuse(valid.error());
  return name;
}

std::string Fields::name(std::string_view key) {
  if (find(key) == nullptr) {
    refuse(key, fmt::format("{} is missing", key));
    return {};
  }
  return optional_name(key).value_or("");
}

std::vector<std::string> Fields::texts(std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = find(key);
  const auto* array = value == nullptr ? nullptr : value->if_array();
  if (array == nullptr || array->empty()) {
    refuse(key, value == nullptr ? fmt::format("{} is missing", key)
                                 : fmt::format("{} must be a list of at least one text, not {}", key, shown(*value)));
    return texts;
  }
  for (const auto& element : *array) {
    if (const auto* text = element.if_string())
      texts.emplace_back(*text);
    else
      refuse(fmt::format("{}/{}", key, &element - array->begin()), fmt::format("{} must hold texts, not {}", key, shown(element)));
  }
  return texts;
}

json::object Fields::optional_object(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return {};
  if (const auto* object = value->if_object()) return *object;
  refuse(key, fmt::format("{} must be an object, not {}", key, shown(*value)));
  return {};
}

bool Fields::optional_flag(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr || value->is_bool()) return value != nullptr && value->get_bool();
  refuse(key, fmt::format("{} must be true or false, not {}", key, shown(*value)));
  return false;
}

json::object Fields::object(std::string_view key) {
  if (find(key) == nullptr) refuse(key, fmt::format("{} is missing", key));
  return optional_object(key);
}

void Fields::check_common() {
  if (auto policy = engine::read_policy(body_); !policy) refuse(policy.error());
  if (auto schedule = engine::read_schedule(body_); !schedule) refuse(schedule.error());
  if (auto cache = engine::read_cache(body_); !cache) refuse(cache.error());
  for (auto key : {"retry", "timeout", "resources", "isolation", "schedule", "cache"}) accept(key);
  optional_flag("autoUpdate");
  if (auto environment = optional_text("environment"); environment && environment->empty()) refuse("environment", "environment is empty");
  for (const auto& label : optional_object("labels"))
    if (!label.value().is_string())
      refuse(fmt::format("labels/{}", std::string_view(label.key())),
             fmt::format("labels hold texts, not {}", shown(label.value())));
}

void Fields::check_unknown() {
  for (const auto& member : body_) {
    std::string_view key = member.key();
    if (known_.contains(key)) continue;
    auto near = nearest(key, known_);
    refuse(key, fmt::format("there is no member \"{}\"{}", key.substr(0, 140),
                            near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
}

Status Fields::finish() {
  if (of_ == Of::step) check_common();
  check_unknown();
  if (errors_.empty()) return {};
  Error error{.code = Code::unacceptable, .message = {}, .fields = std::move(errors_)};
  for (const auto& field : error.fields) error.message += (error.message.empty() ? "" : "; ") + field.detail;
  return fail(std::move(error));
}

}  // namespace lo::api
