// Cron expressions and the times they stand for, in a time zone.
//
// Five fields: minute (0-59), hour (0-23), day of month (1-31), month (1-12, JAN-DEC), day of week (0-7, SUN-SAT; 0 and 7
// are Sunday). A field is `*`, a value, a range `10-50`, either of `*` and a range with a step `*/15`, `10-50/20`, or a list
// of these with commas; names in any case. Or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually. As in Vixie
// cron, a day matches if either of day of month and day of week does; where one of the two begins with `*`, both must.
//
// Where clocks change:
// - What falls into the time that clocks jump over comes at the moment of the jump, once, however often it falls into it.
// - What falls into the time that clocks show twice comes the first time only.
// - An expression whose hour field begins with `*` means hours that pass, not a time of day: it comes whenever clocks really
//   show its time, twice for a time shown twice, not at all for one jumped over. `*/15 * * * *` comes every 15 minutes
//   throughout.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/cron_fields.h"

namespace lo::engine {

class Zone;

// Any thread, parse included; cheap to copy.
class Cron {
 public:
  // `time_zone` is a name of the IANA database. Code::unacceptable with the pointer "/schedule/cron" or "/schedule/timezone";
  // an expression that never comes (30 February) is refused, too. Code::unavailable where this machine has no time zones.
  static Result<Cron> parse(std::string_view expression, std::string_view time_zone = "UTC");

  // The first time after `after`, and not `after` itself. Knows the years 1 to 9999: an earlier `after` counts as the beginning
  // of year 1; nothing comes later.
  std::optional<WallTime> next(WallTime after) const;

  // The times t with from <= t < to, in order, the first `most` of them.
  std::vector<WallTime> between(WallTime from, WallTime to, std::size_t most) const;

 private:
  Cron(const CronFields& fields, std::shared_ptr<const Zone> zone) : fields_(fields), zone_(std::move(zone)) {}

  CronFields fields_;
  std::shared_ptr<const Zone> zone_;
};

}  // namespace lo::engine
