#include "serve/answer_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

namespace lo::serve {

http::Server::Observer count_answers(prometheus::Registry& registry) {
  auto& answers = prometheus::BuildCounter().Name("orchestra_http_requests_total").Help("HTTP answers").Register(registry);
  auto& seconds =
      prometheus::BuildHistogram().Name("orchestra_http_request_seconds").Help("Time to an answer").Register(registry);
  return [&](std::string_view method, std::string_view pattern, unsigned status, double took) {
    prometheus::Labels labels{{"method", std::string(method)}, {"route", std::string(pattern)}};
    seconds.Add(labels, prometheus::Histogram::BucketBoundaries{.001, .003, .01, .03, .1, .3, 1, 3, 10}).Observe(took);
    labels.emplace("status", std::to_string(status));
    answers.Add(labels).Increment();
  };
}

}  // namespace lo::serve
