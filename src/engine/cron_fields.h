// What a cron expression says of a wall clock, whatever its time zone. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace lo::engine {

// Sets as bits: bit 5 of `minutes` is minute 5. Sunday is bit 0.
struct CronFields {
  std::uint64_t minutes = 0, hours = 0, days = 0, months = 0, weekdays = 0;
  // The field begins with `*`.
  bool any_hour = false, any_day = false, any_weekday = false;

  // Code::unacceptable naming `pointer`, the field, the value and what is allowed.
  static Result<CronFields> parse(std::string_view expression, std::string_view pointer);

  // The first minute that matches, at `from` or later. Nothing where none comes within fifty years: the rarest, a 29 February
  // on a certain weekday, comes within forty.
  std::optional<std::chrono::local_seconds> first(std::chrono::local_seconds from) const;

 private:
  bool matches(std::chrono::local_days day) const;
  std::optional<std::chrono::local_days> first_day(std::chrono::local_days from) const;
  std::optional<std::chrono::minutes> first_minute(std::chrono::minutes from) const;
};

}  // namespace lo::engine
