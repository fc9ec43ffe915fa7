// When a helper process (a fork server, the Spark server) is started, restarted and given up: decisions only, no clock of its own,
// no processes.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace lo::run {

enum class Phase { cold, starting, warm, restarting, broken };

std::string_view to_string(Phase phase);

struct LifecycleOptions {
  int failures_until_broken = 3;                              // starts in a row that failed
  Duration first_delay = std::chrono::milliseconds{100};      // before the second try; doubles with each failure
  Duration retry_broken = std::chrono::seconds{30};           // a broken one is tried again on demand after so long
  Duration settled = std::chrono::seconds{10};                // one that died sooner after "ready" counts as a failed start
};

class Lifecycle {
 public:
  explicit Lifecycle(LifecycleOptions options = {}) : options_(options) {}

  Phase phase() const { return phase_; }
  int failures() const { return failures_; }

  // Somebody needs it now. True: start the process (phase starting).
  bool wanted(SteadyTime now);

  // The process said that it is ready.
  void ready(SteadyTime now);

  // The process ended, or could not be started at all. Gives the delay after which to call due(); none when it is broken.
  std::optional<Duration> ended(SteadyTime now);

  // The delay of ended() is over. True: start the process.
  bool due();

  // It was stopped on purpose: back to cold, with nothing held against it.
  void stopped();

 private:
  LifecycleOptions options_;
  Phase phase_ = Phase::cold;
  int failures_ = 0;
  SteadyTime since_{};  // warm or broken since
};

}  // namespace lo::run
