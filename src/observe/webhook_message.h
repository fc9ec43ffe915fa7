// What a webhook sends: the messages of its events, signed anew at each try. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "observe/webhook_record.h"

namespace lo::observe {

// One POST.
struct Delivery {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct WebhookMessage {
  std::string id;  // the same at every try, also of another process
  std::string body;
  std::int64_t cursor = 0;  // where the webhook's stands once this is delivered
};

// {"type": "step.<event>", "timestamp", "data": the event as the stream has it}
WebhookMessage message_of(const Webhook& webhook, const catalog::Event& event);

// Stands for wanted or unwanted events up to `seq` that went before they could be delivered: {"type": "reset", …}.
WebhookMessage reset_message(const Webhook& webhook, std::int64_t seq, WallTime now);

Delivery signed_delivery(const Webhook& webhook, const WebhookMessage& message, WallTime now);

}  // namespace lo::observe
