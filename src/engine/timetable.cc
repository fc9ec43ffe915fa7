#include "engine/timetable.h"

namespace lo::engine {

void Timetable::put(StepId step, std::optional<WallTime> next) {
  auto& line = lines_.at(step);
  if (line.next) due_.erase({*line.next, step});
  line.next = next;
  if (next) due_.emplace(*next, step);
}

void Timetable::follow(StepId step, Schedule schedule, WallTime last) {
  auto next = schedule.cron->next(last);
  lines_.try_emplace(step).first->second.schedule = std::move(schedule);
  put(step, next);
}

void Timetable::forget(StepId step) {
  if (!lines_.contains(step)) return;
  put(step, std::nullopt);
  lines_.erase(step);
}

std::vector<Timetable::Firing> Timetable::take_due(WallTime now) {
  std::vector<Firing> firings;
  while (!due_.empty() && due_.begin()->first <= now) {
    auto [due, step] = *due_.begin();
    auto time = next_run(lines_.at(step).schedule, due, now);
    if (!time || *time > now) {
      put(step, time);
      continue;
    }
    due_.erase(due_.begin());
    firings.push_back({.step = step, .scheduled_for = *time});
  }
  return firings;
}

void Timetable::resume(StepId step) {
  if (auto at = lines_.find(step); at != lines_.end()) put(step, at->second.next);
}

void Timetable::skip(Firing firing) {
  if (auto at = lines_.find(firing.step); at != lines_.end()) put(firing.step, at->second.schedule.cron->next(firing.scheduled_for));
}

std::optional<WallTime> Timetable::next_of(StepId step) const {
  auto at = lines_.find(step);
  return at == lines_.end() ? std::nullopt : at->second.next;
}

std::optional<WallTime> Timetable::next() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace lo::engine
