// What a request says about how its step is to be run: retry, timeout, resources. Pure.
#pragma once

#include <chrono>
#include <optional>

#include "base/json.h"
#include "engine/runner.h"

namespace lo::engine {

// `retry: {maxAttempts, delay, backoff}`: delay in seconds before the second attempt, multiplied by backoff for each more, plus jitter.
struct Retry {
  int max_attempts = 1;
  std::chrono::milliseconds delay{0};
  double backoff = 1;
};

// `isolation`: "process" (each step has one of its own) or "shared" (steps of one owner and environment use one after the other).
enum class Isolation { process, shared };

struct Policy {
  Retry retry;
  Limits limits;
  Isolation isolation = Isolation::process;
};

// The names of the members, labels aside, that every request may have: "retry", "timeout", "resources", …
bool is_policy_key(std::string_view key);

// Reads them from a request's top level: `timeout` in seconds (number), `resources: {cpu, memory, gpu}` with memory in bytes or as text
// with a unit ("512MB", "2GiB"). Code::unacceptable with a pointer for anything else.
Result<Policy> read_policy(const json::object& request);

// How long to wait before attempt `next` (2, 3, …): up to a quarter more than stated, so that jobs that failed together do not come back
// together; how much depends on `job` and the attempt alone.
std::chrono::milliseconds retry_delay(const Retry& retry, int next, std::string_view job);

}  // namespace lo::engine
