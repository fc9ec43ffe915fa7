#include "observe/webhook_record.h"

#include <algorithm>

#include "base/id.h"

namespace lo::observe {
namespace {

constexpr std::string_view kIdPrefix = "webhook.";

std::int64_t number_or(const json::object& object, std::string_view key, std::int64_t fallback) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_int64() ? value->get_int64() : fallback;
}

json::object filter_options(const catalog::EventFilter& filter) {
  return {{"name", filter.name}, {"type", filter.service}, {"labelKey", filter.label_key}, {"labelValue", filter.label_value}};
}

catalog::EventFilter read_filter(const json::object& options) {
  const auto* found = options.if_contains("filter");
  const auto* filter = found == nullptr ? nullptr : found->if_object();
  if (filter == nullptr) return {};
  return {.name = string_or(*filter, "name"),
          .service = string_or(*filter, "type"),
          .label_key = string_or(*filter, "labelKey"),
          .label_value = string_or(*filter, "labelValue")};
}

std::vector<std::string> read_events(const json::object& options) {
  std::vector<std::string> events;
  if (const auto* list = options.if_contains("events"); list != nullptr && list->is_array())
    for (const auto& event : list->get_array())
      if (const auto* text = event.if_string()) events.emplace_back(*text);
  return events;
}

}  // namespace

bool Webhook::wants(const catalog::Event& event) const {
  return filter.matches(event) && (events.empty() || std::ranges::find(events, event.type) != events.end());
}

std::string make_webhook_id() { return std::string(kIdPrefix) + make_token(); }
bool is_webhook_id(std::string_view name) { return name.starts_with(kIdPrefix); }

catalog::Subscription subscription_of(const Webhook& webhook) {
  json::object options{{"webhook", webhook.url},
                       {"secret", webhook.secret},
                       {"filter", filter_options(webhook.filter)},
                       {"events", json::array(webhook.events.begin(), webhook.events.end())},
                       {"cursor", webhook.cursor}};
  if (webhook.failures > 0) {
    options["failures"] = webhook.failures;
    options["error"] = webhook.error;
  }
  if (webhook.next_try) options["nextTry"] = to_micros(*webhook.next_try);
  if (!webhook.disabled.empty()) options["disabled"] = webhook.disabled;
  return {.name = webhook.id, .created = webhook.created, .options = std::move(options)};
}

std::optional<Webhook> webhook_of(const catalog::Subscription& subscription) {
  const auto& options = subscription.options;
  if (!options.contains("webhook")) return std::nullopt;
  Webhook webhook{.id = subscription.name,
                  .url = string_or(options, "webhook"),
                  .secret = string_or(options, "secret"),
                  .filter = read_filter(options),
                  .events = read_events(options),
                  .created = subscription.created};
  webhook.cursor = number_or(options, "cursor", 0);
  webhook.failures = static_cast<int>(number_or(options, "failures", 0));
  webhook.error = string_or(options, "error");
  if (auto next = number_or(options, "nextTry", 0); next != 0) webhook.next_try = from_micros(next);
  webhook.disabled = string_or(options, "disabled");
  return webhook;
}

}  // namespace lo::observe
