// The rule that goes on where the table of a time zone ends: the last line of a zoneinfo file (RFC 9636, section 3.3), in the
// form of POSIX's TZ: "CET-1CEST,M3.5.0,M10.5.0/3". Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace lo::engine {

// A time without a change: in begin <= t < end a wall clock shows t + offset.
struct ZoneSpan {
  std::chrono::sys_seconds begin, end;
  std::chrono::seconds offset;
};

// Where the span of a zone that never changes begins and ends.
inline constexpr std::chrono::sys_seconds kZoneBegin = std::chrono::sys_days{std::chrono::year{-9999} / 1 / 1};
inline constexpr std::chrono::sys_seconds kZoneEnd = std::chrono::sys_days{std::chrono::year{19999} / 1 / 1};

class ZoneRule {
 public:
  // Nothing for a text that is not such a rule.
  static std::optional<ZoneRule> parse(std::string_view text);

  ZoneSpan at(std::chrono::sys_seconds time) const;

 private:
  friend class ZoneRuleReader;

  // A change of the clock, every year.
  struct Change {
    enum class Form { nth_weekday, day, day_without_leap };
    Form form = Form::day;
    unsigned month = 0, week = 0, weekday = 0;  // Form::nth_weekday; week 5 is the last
    int day = 0;                                // Form::day from 0; Form::day_without_leap from 1, 29 February not counted
    std::chrono::seconds time = std::chrono::hours{2};

    std::chrono::local_seconds in(std::chrono::year year) const;
  };

  std::chrono::seconds standard_{0}, summer_{0};
  bool changes_ = false;
  Change to_summer_, to_standard_;
};

}  // namespace lo::engine
