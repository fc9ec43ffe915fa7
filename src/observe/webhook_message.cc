#include "observe/webhook_message.h"

#include <fmt/format.h>

#include "observe/event_document.h"
#include "observe/webhook_signature.h"

namespace lo::observe {
namespace {

// Without a dot, which parts the signed texts: the token of the webhook's id.
std::string message_id(const Webhook& webhook, std::string_view kind, std::int64_t seq) {
  return fmt::format("{}_{}_{}", kind, webhook.id.substr(webhook.id.find('.') + 1), seq);
}

// ISO 8601 to the microsecond, which tells apart what happened within a second.
std::string timestamp(WallTime time) {
  auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{}.{:06}Z", format_time(time).substr(0, 19), (time - whole).count());
}

std::string body_of(std::string type, WallTime at, json::object data) {
  return write_json(json::object{{"type", std::move(type)}, {"timestamp", timestamp(at)}, {"data", std::move(data)}});
}

}  // namespace

WebhookMessage message_of(const Webhook& webhook, const catalog::Event& event) {
  return {.id = message_id(webhook, "msg", event.seq),
          .body = body_of("step." + event.type, event.at, event_document(event)),
          .cursor = event.seq};
}

WebhookMessage reset_message(const Webhook& webhook, std::int64_t seq, WallTime now) {
  auto data = reset_document();
  data["event"] = "reset";
  data["id"] = seq;
  return {.id = message_id(webhook, "reset", seq), .body = body_of("reset", now, std::move(data)), .cursor = seq};
}

Delivery signed_delivery(const Webhook& webhook, const WebhookMessage& message, WallTime now) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return {.url = webhook.url,
          .headers = {{"Content-Type", "application/json"},
                      {"webhook-id", message.id},
                      {"webhook-timestamp", fmt::to_string(seconds)},
                      {"webhook-signature", webhook_signature(webhook.secret, message.id, seconds, message.body)}},
          .body = message.body};
}

}  // namespace lo::observe
