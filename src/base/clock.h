// Time is asked of a Clock, so that tests can set it by hand.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lo {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;  // UTC
using SteadyTime = std::chrono::steady_clock::time_point;           // never jumps
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual SteadyTime steady() const = 0;
};

// The machine's clock. Any thread.
class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady() const override;
};

// A clock that stands still until it is advanced. One thread.
class FakeClock final : public Clock {
 public:
  WallTime now() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  void advance(Duration by);
  void jump_wall(Duration by);  // the wall clock alone, as an administrator or NTP would

 private:
  WallTime wall_{std::chrono::seconds{1'700'000'000}};
  SteadyTime steady_{std::chrono::seconds{1'000}};
};

// "2026-01-31T10:20:30-00:00", the 2021 form: seconds, UTC. The same instant always gives the same text.
std::string format_time(WallTime time);

// Microseconds since 1970, the form the catalog stores.
std::int64_t to_micros(WallTime time);
WallTime from_micros(std::int64_t micros);

}  // namespace lo
