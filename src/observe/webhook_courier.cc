#include "observe/webhook_courier.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace lo::observe {
namespace {

constexpr std::int64_t kMostUnsaved = 1000;  // unwanted events that a cursor passes before it is saved
constexpr std::chrono::seconds kPause{5};    // after a read that failed

}  // namespace

WebhookCourier::Line* WebhookCourier::find(const std::string& id) {
  auto at = lines_.find(id);
  return at == lines_.end() ? nullptr : &at->second;
}

void WebhookCourier::begin(std::vector<Webhook> webhooks, std::int64_t newest) {
  newest_ = std::max(newest_, newest);
  for (auto& webhook : webhooks) insert(std::move(webhook));
}

void WebhookCourier::insert(Webhook webhook) {
  auto& line = lines_[webhook.id];
  line.seen = line.saved = webhook.cursor;
  line.webhook = std::move(webhook);
  if (line.webhook.next_try) {  // bounded, whatever the wall clock did meanwhile
    auto left = *line.webhook.next_try - ports_.clock->now();
    rest(line, std::clamp<Duration>(left, Duration::zero(), kLongestRetryAfter));
  }
  go_on(line);
}

void WebhookCourier::add(Webhook webhook, std::optional<catalog::Receipt> receipt, Callback<Status> done) {
  if (lines_.size() >= kMostWebhooks)
    return done(fail(Code::busy, fmt::format("there are {} webhooks already", kMostWebhooks)));
  catalog::Batch batch{catalog::PutSubscription{subscription_of(webhook)}};
  if (receipt) batch.emplace_back(catalog::PutReceipt{*std::move(receipt)});
  ports_.save(std::move(batch),
              [this, webhook = std::move(webhook), done = std::move(done)](Status saved) mutable {
                if (saved) insert(std::move(webhook));
                done(std::move(saved));
              });
}

void WebhookCourier::remove(const std::string& id, Callback<Status> done) {
  if (lines_.erase(id) == 0) return done(fail(Code::not_found, fmt::format("there is no webhook \"{}\"", printable(id))));
  ports_.save({catalog::RemoveSubscription{id}}, std::move(done));
}

void WebhookCourier::news(std::int64_t newest) {
  newest_ = std::max(newest_, newest);
  for (auto& [id, line] : lines_) go_on(line);
}

void WebhookCourier::wake() {
  for (auto& [id, line] : lines_) go_on(line);
}

std::optional<SteadyTime> WebhookCourier::next_due() const {
  std::optional<SteadyTime> next;
  if (closed_) return next;
  for (const auto& [id, line] : lines_)
    if (line.due && !line.busy && (!next || *line.due < *next)) next = line.due;
  return next;
}

void WebhookCourier::close() {
  closed_ = true;
  for (auto& [id, line] : lines_)
    if (line.webhook.cursor != line.saved) save(line);
}

void WebhookCourier::go_on(Line& line) {
  if (closed_ || line.busy || !line.webhook.disabled.empty()) return;
  if (line.due && *line.due > ports_.clock->steady()) return;
  line.due.reset();
  if (!line.message && !line.waiting.empty()) {
    line.message = message_of(line.webhook, line.waiting.front());
    line.waiting.pop_front();
  }
  if (line.message) return send(line);
  if (line.seen != newest_) read(line);
}

void WebhookCourier::read(Line& line) {
  line.busy = true;
  ports_.read(line.seen, line.webhook.filter.name, [this, id = line.webhook.id](Result<EventPage> page) {
    if (auto* found = find(id); found != nullptr) on_page(*found, std::move(page));
  });
}

void WebhookCourier::on_page(Line& line, Result<EventPage> page) {
  line.busy = false;
  if (!page) {
    log::warn("the events for {} cannot be read: {}", line.webhook.id, page.error().message);
    return rest(line, kPause);
  }
  newest_ = std::max(newest_, page->seen);
  line.seen = page->seen;
  if (page->lost) line.message = reset_message(line.webhook, page->seen, ports_.clock->now());
  for (auto& event : page->events)
    if (line.webhook.wants(event)) line.waiting.push_back(std::move(event));
  if (!line.message && line.waiting.empty()) line.webhook.cursor = line.seen;
  if (line.webhook.cursor - line.saved >= kMostUnsaved) save(line);
  go_on(line);
}

void WebhookCourier::send(Line& line) {
  line.busy = true;
  auto delivery = signed_delivery(line.webhook, *line.message, ports_.clock->now());
  ports_.send(std::move(delivery), [this, id = line.webhook.id](Result<Reply> reply) {
    if (auto* found = find(id); found != nullptr) on_reply(*found, reply);
  });
}

void WebhookCourier::on_reply(Line& line, const Result<Reply>& reply) {
  line.busy = false;
  if (!reply && reply.error().code == Code::cancelled) return;
  auto now = ports_.clock->now();
  auto& webhook = line.webhook;
  settle_try(webhook, reply, line.message->cursor, schedule_, ports_.random(), now);
  if (webhook.failures == 0) {
    line.message.reset();
    if (line.waiting.empty()) webhook.cursor = line.seen;
  }
  if (webhook.next_try) rest(line, *webhook.next_try - now);
  if (!webhook.disabled.empty()) log::warn("{} is disabled: {}", webhook.id, webhook.disabled);
  save(line);
  go_on(line);
}

void WebhookCourier::save(Line& line) {
  line.changed = true;
  if (!line.saving) write(line);
}

void WebhookCourier::write(Line& line) {
  line.changed = false;
  line.saving = true;
  line.saved = line.webhook.cursor;
  ports_.save({catalog::PutSubscription{subscription_of(line.webhook)}}, [this, id = line.webhook.id](Status saved) {
    if (auto* found = find(id); found != nullptr) on_saved(*found, saved);
  });
}

void WebhookCourier::on_saved(Line& line, const Status& saved) {
  line.saving = false;
  if (!saved) log::warn("where {} stands is not saved: {}", line.webhook.id, saved.error().message);
  if (line.changed) write(line);
}

}  // namespace lo::observe
