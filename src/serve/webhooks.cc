#include "serve/webhooks.h"

namespace lo::serve {

observe::SendDelivery send_through(dataset::Poster& poster) {
  return [&poster](observe::Delivery delivery, Callback<Result<observe::Reply>> done) {
    dataset::Post post{
        .url = std::move(delivery.url), .headers = std::move(delivery.headers), .body = std::move(delivery.body)};
    poster.post(std::move(post), [done = std::move(done)](Result<dataset::PostAnswer> answer) mutable {
      if (!answer) return done(std::unexpected(answer.error()));
      done(observe::Reply{.status = answer->status, .retry_after = answer->retry_after});
    });
  };
}

observe::RetrySchedule retry_schedule(const Options& options) {
  observe::RetrySchedule schedule;
  if (options.webhook_retry.empty()) return schedule;
  schedule.delays.clear();
  for (auto seconds : options.webhook_retry) schedule.delays.emplace_back(static_cast<std::int64_t>(seconds * 1000));
  return schedule;
}

}  // namespace lo::serve
