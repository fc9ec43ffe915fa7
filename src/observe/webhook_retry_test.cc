#include "observe/webhook_retry.h"

#include <gtest/gtest.h>

#include "base/id.h"

namespace lo::observe {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::seconds(1'700'000'000)};

TEST(WebhookRetry, ThePlannedDelaysSpanDays) {
  Webhook webhook;
  RetrySchedule schedule;
  std::chrono::microseconds all{0};
  while (webhook.disabled.empty()) {
    settle_try(webhook, Reply{.status = 500}, 1, schedule, 0.5, kNow);
    if (webhook.next_try) all += *webhook.next_try - kNow;
  }
  EXPECT_EQ(webhook.failures, 10);
  EXPECT_EQ(all, 75h + 35min + 5s);
  EXPECT_EQ(webhook.cursor, 0);
}

TEST(WebhookRetry, JitterStaysWithinItsShare) {
  for (auto [random, delay] : {std::pair(0.0, 4500ms), std::pair(0.5, 5000ms), std::pair(1.0, 5500ms)}) {
    Webhook webhook;
    settle_try(webhook, Reply{.status = 500}, 1, {}, random, kNow);
    EXPECT_EQ(webhook.next_try, kNow + delay);
  }
}

TEST(WebhookRetry, AReceiverCannotSilenceItForLong) {
  Webhook webhook;
  settle_try(webhook, Reply{.status = 429, .retry_after = std::chrono::seconds(1'000'000'000)}, 1, {}, 0.5, kNow);
  EXPECT_EQ(webhook.next_try, kNow + kLongestRetryAfter);
}

void expect_same_read_again(const Webhook& webhook) {
  auto read = webhook_of(subscription_of(webhook)).value();
  EXPECT_EQ(subscription_of(read), subscription_of(webhook));
  EXPECT_EQ(read.url, webhook.url);
  EXPECT_EQ(read.secret, webhook.secret);
  EXPECT_EQ(read.filter.label_value, webhook.filter.label_value);
  EXPECT_EQ(read.events, webhook.events);
  EXPECT_EQ(read.cursor, webhook.cursor);
  EXPECT_EQ(read.next_try, webhook.next_try);
  EXPECT_EQ(read.disabled, webhook.disabled);
}

TEST(WebhookRecord, IsTheSameReadAgain) {
  Webhook webhook{.id = make_webhook_id(),
                  .url = "https://example.org/hook?x=1",
                  .secret = "whsec_x",
                  .filter = {.name = "a", .service = "dataset/csv", .label_key = "k", .label_value = "v"},
                  .events = {"failed", "finished"},
                  .created = kNow};
  webhook.cursor = std::int64_t{1} << 40;
  expect_same_read_again(webhook);
  settle_try(webhook, fail(Code::io, "no route"), 1, {}, 0.5, kNow);
  expect_same_read_again(webhook);
  webhook.disabled = "enough";
  expect_same_read_again(webhook);
}

TEST(WebhookRecord, OthersAreNone) {
  EXPECT_FALSE(webhook_of({.name = "step", .created = kNow}));
  EXPECT_TRUE(is_webhook_id(make_webhook_id()));
  EXPECT_FALSE(check_name(make_webhook_id(), "/name")) << "no step can be called so";
}

}  // namespace
}  // namespace lo::observe
