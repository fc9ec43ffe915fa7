// `schedule` of a request: when its step runs. Pure.
//
// {"at": "2026-01-31T02:00:00Z"}: once, then. {"cron": "0 2 * * *", "timezone": "Europe/Berlin", "misfire": "once" or "skip"}: again
// and again, the first time when the expression next comes. Times that were missed, because the server was down or the step still ran
// from the time before, are made up for together by one run for the last of them ("once", the default), or not at all ("skip").
//
// The time for which a revision is made, its scheduled time, is kept in its facts: `$clock` in parameters.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "engine/cron.h"

namespace lo::engine {

enum class Misfire { once, skip };

struct Schedule {
  std::optional<WallTime> at;  // either this
  std::optional<Cron> cron;    // or this
  Misfire misfire = Misfire::once;
};

// What a request's top level says, if anything. Code::unacceptable with a pointer for anything that is no schedule.
Result<std::optional<Schedule>> read_schedule(const json::object& request);

// A time of RFC 3339, "2026-01-31T10:20:30Z" or with an offset, to the second. Code::unacceptable naming `pointer` and the text.
Result<WallTime> parse_time(std::string_view text, std::string_view pointer);

// When the first run of a request that is accepted at `accepted` is due; it may be over. Nothing when it never comes.
std::optional<WallTime> first_due(const Schedule& schedule, WallTime accepted);

// Makes up for what was missed: the time for which a cron schedule's next run, which was due at `due`, is made as seen at `now`. Not after
// `now`: run it. After it: then. Nothing when it never comes.
std::optional<WallTime> next_run(const Schedule& schedule, WallTime due, WallTime now);

// Among a revision's facts.
inline constexpr std::string_view kScheduledFor = "scheduledFor";
inline constexpr std::string_view kBackfill = "backfill";  // true: it was made later for a time that was over; its step's schedule goes on from then

std::optional<WallTime> scheduled_for(const json::object& facts);
void set_scheduled_for(json::object& facts, std::optional<WallTime> time);

}  // namespace lo::engine
