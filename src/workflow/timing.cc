#include "workflow/timing.h"

#include <algorithm>
#include <set>

#include "workflow/references.h"
#include "workflow/services.h"

namespace lo::workflow {
namespace {

constexpr std::string_view kSchedule = "schedule";
constexpr std::string_view kAutoUpdate = "autoUpdate";

using Names = std::set<std::string, std::less<>>;

bool takes_time(const FileStep& step) { return step.service != kDataType && step.service != kEnvironment; }

Names made_in_time(const Workflow& workflow) {
  Names names;
  for (const auto& step : workflow.steps)
    if (takes_time(step)) names.insert(step.makes.begin(), step.makes.end());
  return names;
}

json::object implied_by(const json::object& schedule, const FileStep& step, const Names& made) {
  json::object implied;
  auto follows = std::ranges::any_of(step.uses, [&](const auto& name) { return made.contains(name); });
  if (!follows || asks_for_clock(*find_service(step.service), step.body)) implied[kSchedule] = schedule;
  if (follows && schedule.contains("cron")) implied[kAutoUpdate] = true;
  return implied;
}

}  // namespace

void apply_schedule(Workflow& workflow) {
  if (!workflow.schedule) return;
  auto made = made_in_time(workflow);
  for (auto& step : workflow.steps) {
    if (!takes_time(step)) continue;
    step.implied = implied_by(*workflow.schedule, step, made);
    for (const auto& [key, value] : step.implied)
      if (!step.body.contains(key)) step.body[key] = value;
  }
}

json::object without_implied(const FileStep& step) {
  auto body = step.body;
  for (const auto& [key, value] : step.implied)
    if (const auto* stated = body.if_contains(key); stated != nullptr && canonical_json(*stated) == canonical_json(value)) body.erase(key);
  return body;
}

void state_exceptions(const json::object& implied, json::object& body) {
  for (const auto& member : implied)
    if (!body.contains(member.key())) body[member.key()] = member.key() == kAutoUpdate ? json::value(false) : json::value(nullptr);
}

}  // namespace lo::workflow
