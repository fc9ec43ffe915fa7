#include "run/lifecycle.h"

namespace lo::run {

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::cold: return "cold";
    case Phase::starting: return "starting";
    case Phase::warm: return "warm";
    case Phase::restarting: return "restarting";
    case Phase::broken: return "broken";
  }
  return "";
}

bool Lifecycle::wanted(SteadyTime now) {
  bool again = phase_ == Phase::broken && now - since_ >= options_.retry_broken;
  if (phase_ != Phase::cold && !again) return false;
  phase_ = Phase::starting;
  return true;
}

void Lifecycle::ready(SteadyTime now) {
  phase_ = Phase::warm;
  since_ = now;
}

std::optional<Duration> Lifecycle::ended(SteadyTime now) {
  bool good = phase_ == Phase::warm && now - since_ >= options_.settled;
  failures_ = good ? 0 : failures_ + 1;
  if (failures_ >= options_.failures_until_broken) {
    phase_ = Phase::broken;
    since_ = now;
    return std::nullopt;
  }
  phase_ = Phase::restarting;
  return failures_ == 0 ? Duration::zero() : options_.first_delay * (1 << (failures_ - 1));
}

bool Lifecycle::due() {
  if (phase_ != Phase::restarting) return false;
  phase_ = Phase::starting;
  return true;
}

void Lifecycle::stopped() {
  phase_ = Phase::cold;
  failures_ = 0;
}

}  // namespace lo::run
