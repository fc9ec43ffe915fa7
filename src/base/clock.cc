#include "base/clock.h"

#include <fmt/chrono.h>

namespace lo {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

void FakeClock::advance(Duration by) {
  steady_ += by;
  jump_wall(by);
}

void FakeClock::jump_wall(Duration by) { wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by); }

std::string format_time(WallTime time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}-00:00", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

std::int64_t to_micros(WallTime time) { return time.time_since_epoch().count(); }
WallTime from_micros(std::int64_t micros) { return WallTime{std::chrono::microseconds{micros}}; }

}  // namespace lo
