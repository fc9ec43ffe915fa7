#include "engine/cron.h"

#include <algorithm>

#include "engine/zone.h"

namespace lo::engine {
namespace {

using std::chrono::local_seconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds kFirst = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
constexpr sys_seconds kLast = std::chrono::sys_days{std::chrono::year{10000} / 1 / 1};

local_seconds shown(sys_seconds time, seconds offset) { return local_seconds{(time + offset).time_since_epoch()}; }

// What clocks would show at `from`, in `span`, if each local time came once: a jump's missing times come at its moment, and
// what the span before has shown already is passed over.
local_seconds once_each(const Zone& zone, const ZoneSpan& span, sys_seconds from) {
  auto now = shown(from, span.offset);
  if (span.begin <= kFirst) return now;
  auto before = shown(span.begin, zone.at(span.begin - seconds{1}).offset);
  auto jumped = before < shown(span.begin, span.offset);
  if (jumped) return from == span.begin ? before : now;
  return std::max(now, before);
}

}  // namespace

Result<Cron> Cron::parse(std::string_view expression, std::string_view time_zone) {
  LO_ASSIGN(auto fields, CronFields::parse(expression, "/schedule/cron"));
  LO_ASSIGN(auto zone, Zone::find(time_zone, "/schedule/timezone"));
  return Cron(fields, std::move(zone));
}

std::optional<WallTime> Cron::next(WallTime after) const {
  if (after >= kLast) return std::nullopt;
  auto from = std::max(std::chrono::floor<seconds>(after) + seconds{1}, kFirst);
  while (from < kLast) {
    auto span = zone_->at(from);
    auto match = fields_.first(fields_.any_hour ? shown(from, span.offset) : once_each(*zone_, span, from));
    if (!match) return std::nullopt;
    auto time = std::max(sys_seconds{match->time_since_epoch() - span.offset}, span.begin);
    if (time < std::min(span.end, kLast)) return time;
    from = span.end;
  }
  return std::nullopt;
}

std::vector<WallTime> Cron::between(WallTime from, WallTime to, std::size_t most) const {
  std::vector<WallTime> times;
  if (from >= to) return times;
  auto begin = std::max<WallTime>(from, kFirst) - WallTime::duration{1};
  for (auto time = next(begin); time && *time < to && times.size() < most; time = next(*time)) times.push_back(*time);
  return times;
}

}  // namespace lo::engine
