// A webhook: a subscription whose events are sent to a URL, as a cursor into the catalog's event log. Plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/records.h"

namespace lo::observe {

struct Webhook {
  std::string id = {};  // of the subscription, see make_webhook_id()
  std::string url = {};
  std::string secret = {};  // never shown again
  catalog::EventFilter filter = {};
  std::vector<std::string> events = {};  // types that are wanted; none: all
  WallTime created = {};

  std::int64_t cursor = 0;  // every event up to this one is delivered, or was not wanted
  int failures = 0;         // tries of the next message that failed
  std::string error = {};   // of the last of them
  std::optional<WallTime> next_try = {};
  std::string disabled = {};  // why nothing is sent any more

  bool wants(const catalog::Event& event) const;
};

// "webhook.<token>": the dot keeps it apart from the names of steps, which the other subscriptions bear.
std::string make_webhook_id();
bool is_webhook_id(std::string_view name);

catalog::Subscription subscription_of(const Webhook& webhook);

// Nothing for a subscription that is no webhook.
std::optional<Webhook> webhook_of(const catalog::Subscription& subscription);

}  // namespace lo::observe
