#include "engine/schedule.h"

#include <algorithm>
#include <date/date.h>
#include <fmt/format.h>
#include <sstream>

namespace lo::engine {
namespace {

// A run that comes no later than this is not missed: wake-ups are late by milliseconds, busy machines by more.
constexpr std::chrono::minutes kOnTime{1};

Result<std::string_view> text_in(const json::object& schedule, std::string_view key) {
  const auto& value = schedule.at(key);
  if (const auto* text = value.if_string()) return std::string_view(*text);
  return fail_field(Code::unacceptable, fmt::format("/schedule/{}", key), fmt::format("schedule/{} must be a text, not {}", key, write_json(value)));
}

Status check_members(const json::object& schedule) {
  for (const auto& member : schedule) {
    std::string_view key = member.key();
    if (key == "at" || key == "cron" || key == "timezone" || key == "misfire") continue;
    return fail_field(Code::unacceptable, fmt::format("/schedule/{}", key),
                      fmt::format("schedule has no member \"{}\"; it has: at, or cron, timezone, misfire", key));
  }
  if (schedule.contains("at") == schedule.contains("cron"))
    return fail_field(Code::unacceptable, "/schedule", "schedule must have either at or cron");
  for (auto key : {"timezone", "misfire"})
    if (schedule.contains("at") && schedule.contains(key))
      return fail_field(Code::unacceptable, fmt::format("/schedule/{}", key), fmt::format("schedule/{} belongs to cron, not to at", key));
  return {};
}

Result<Misfire> read_misfire(const json::object& schedule) {
  if (!schedule.contains("misfire")) return Misfire::once;
  LO_ASSIGN(auto text, text_in(schedule, "misfire"));
  if (text == "once") return Misfire::once;
  if (text == "skip") return Misfire::skip;
  return fail_field(Code::unacceptable, "/schedule/misfire", fmt::format("schedule/misfire must be \"once\" or \"skip\", not \"{}\"", text.substr(0, 40)));
}

Result<Schedule> read_cron(const json::object& object) {
  Schedule schedule;
  LO_ASSIGN(auto expression, text_in(object, "cron"));
  std::string_view zone = "UTC";
  if (object.contains("timezone")) {
    LO_ASSIGN(zone, text_in(object, "timezone"));
  }
  LO_ASSIGN(schedule.cron, Cron::parse(expression, zone));
  LO_ASSIGN(schedule.misfire, read_misfire(object));
  return schedule;
}

// The last time of `cron` that is not after `now`; `due` is one of them.
WallTime last_until(const Cron& cron, WallTime due, WallTime now) {
  auto last = due;
  for (std::chrono::hours span{1}; now - span > due; span *= 2)
    if (auto time = cron.next(now - span); time && *time <= now) {
      last = *time;
      break;
    }
  for (auto time = cron.next(last); time && *time <= now; time = cron.next(*time)) last = *time;
  return last;
}

}  // namespace

Result<WallTime> parse_time(std::string_view text, std::string_view pointer) {
  auto refuse = [&] {
    return fail_field(Code::unacceptable, std::string(pointer),
                      fmt::format("{} must be a time such as \"2026-01-31T10:20:30Z\" or \"2026-01-31T10:20:30+02:00\", not \"{}\"",
                                  pointer.substr(1), text.substr(0, 60)));
  };
  auto is_utc = text.ends_with('Z') || text.ends_with('z');
  std::istringstream in(is_utc ? std::string(text.substr(0, text.size() - 1)) + "+00:00" : std::string(text));
  date::sys_time<std::chrono::microseconds> time;
  in >> date::parse("%FT%T%Ez", time);
  if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) return refuse();
  auto year = date::year_month_day{date::floor<date::days>(time)}.year();
  if (year < date::year{1970} || year > date::year{2200}) return refuse();
  return std::chrono::floor<std::chrono::seconds>(time);
}

Result<std::optional<Schedule>> read_schedule(const json::object& request) {
  const auto* value = request.if_contains("schedule");
  if (value == nullptr || value->is_null()) return std::nullopt;
  const auto* object = value->if_object();
  if (object == nullptr)
    return fail_field(Code::unacceptable, "/schedule", fmt::format("schedule must be an object with at or cron, not {}", write_json(*value)));
  LO_TRY(check_members(*object));
  if (object->contains("cron")) return read_cron(*object);
  Schedule schedule;
  LO_ASSIGN(auto text, text_in(*object, "at"));
  LO_ASSIGN(schedule.at, parse_time(text, "/schedule/at"));
  return schedule;
}

std::optional<WallTime> first_due(const Schedule& schedule, WallTime accepted) {
  return schedule.at ? schedule.at : schedule.cron->next(accepted);
}

std::optional<WallTime> next_run(const Schedule& schedule, WallTime due, WallTime now) {
  if (due > now) return due;
  auto last = last_until(*schedule.cron, due, now);
  if (schedule.misfire == Misfire::once || now - last <= kOnTime) return last;
  return schedule.cron->next(now);
}

std::optional<WallTime> scheduled_for(const json::object& facts) {
  const auto text = string_or(facts, kScheduledFor);
  if (text.empty()) return std::nullopt;
  auto time = parse_time(text, "");
  return time ? std::optional(*time) : std::nullopt;
}

void set_scheduled_for(json::object& facts, std::optional<WallTime> time) {
  if (time) facts[kScheduledFor] = format_time(*time);
}

}  // namespace lo::engine
