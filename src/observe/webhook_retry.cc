#include "observe/webhook_retry.h"

#include <fmt/format.h>

#include <algorithm>

namespace lo::observe {
namespace {

constexpr int kGone = 410;

void fail_try(Webhook& webhook, std::chrono::seconds retry_after, const RetrySchedule& schedule, double random, WallTime now) {
  auto failed = static_cast<std::size_t>(webhook.failures++);
  if (failed >= schedule.delays.size()) {
    webhook.disabled = fmt::format("{} tries failed, the last one so: {}", webhook.failures, webhook.error);
    return;
  }
  auto delay = std::chrono::duration<double, std::milli>(schedule.delays[failed]) * (1 + schedule.jitter * (2 * random - 1));
  auto asked = std::chrono::duration<double, std::milli>(std::min<std::chrono::seconds>(retry_after, kLongestRetryAfter));
  webhook.next_try = now + std::chrono::duration_cast<std::chrono::microseconds>(std::max(delay, asked));
}

}  // namespace

void settle_try(Webhook& webhook, const Result<Reply>& reply, std::int64_t cursor, const RetrySchedule& schedule, double random,
                WallTime now) {
  webhook.next_try.reset();
  if (reply && reply->status / 100 == 2) {
    webhook.cursor = cursor;
    webhook.failures = 0;
    webhook.error.clear();
    return;
  }
  webhook.error = reply ? fmt::format("{} answered with status {}", webhook.url, reply->status) : reply.error().message;
  if (reply && reply->status == kGone) {
    ++webhook.failures;
    webhook.disabled = "the receiver wants no more: " + webhook.error;
    return;
  }
  fail_try(webhook, reply ? reply->retry_after : std::chrono::seconds(0), schedule, random, now);
}

}  // namespace lo::observe
