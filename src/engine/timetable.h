// Which steps run again by a cron schedule, and when next. Pure: whoever drives it passes the time. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/registry.h"
#include "engine/schedule.h"

namespace lo::engine {

class Timetable {
 public:
  struct Firing {
    StepId step = 0;
    WallTime scheduled_for;
  };

  // The step runs next after `last`, the time for which it was run last or will be. Replaces what was known of it.
  void follow(StepId step, Schedule schedule, WallTime last);
  void forget(StepId step);

  // What is to run at `now`. It is not given again until follow(), or resume() when it could not be run.
  std::vector<Firing> take_due(WallTime now);
  void resume(StepId step);
  void skip(Firing firing);  // it cannot be: the next one

  bool contains(StepId step) const { return lines_.contains(step); }
  std::optional<WallTime> next_of(StepId step) const;
  std::optional<WallTime> next() const;  // the earliest of those not taken

 private:
  struct Line {
    Schedule schedule;
    std::optional<WallTime> next;  // nothing: never again
  };

  void put(StepId step, std::optional<WallTime> next);

  std::map<StepId, Line> lines_;
  std::set<std::pair<WallTime, StepId>> due_;  // not taken
};

}  // namespace lo::engine
