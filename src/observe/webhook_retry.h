// What the end of a try makes of a webhook, and when it is tried again. Pure.
#pragma once

#include <chrono>
#include <vector>

#include "observe/webhook_record.h"

namespace lo::observe {

// What the receiver answered. The rest of the answer means nothing.
struct Reply {
  int status = 0;
  std::chrono::seconds retry_after{0};  // that it asks for
};

struct RetrySchedule {
  // After the first failure, the second, …; after as many and one more the webhook is disabled. These are the specification's: 75 hours.
  std::vector<std::chrono::milliseconds> delays{std::chrono::seconds(5), std::chrono::minutes(5), std::chrono::minutes(30),
                                                std::chrono::hours(2),   std::chrono::hours(5),   std::chrono::hours(10),
                                                std::chrono::hours(14),  std::chrono::hours(20),  std::chrono::hours(24)};
  double jitter = 0.1;  // up to that share more or less
};

inline constexpr std::chrono::hours kLongestRetryAfter{24};

// The end of a try to deliver the message after which the cursor stands at `cursor`: any 2xx delivers it, 410 disables the webhook, all
// else is tried again until the schedule has no more. `random` is from 0 to 1.
void settle_try(Webhook& webhook, const Result<Reply>& reply, std::int64_t cursor, const RetrySchedule& schedule, double random,
                WallTime now);

}  // namespace lo::observe
