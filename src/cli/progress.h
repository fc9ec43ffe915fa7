// How far the steps of a run are, as lines of text. Pure but for the clock it is given.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "workflow/step_view.h"
#include "cli/terminal.h"

namespace lo::cli {

using workflow::StepView;

class Progress {
 public:
  // `names` in the order to show them; `typed` are those of them whose dataType counts. `clock` outlives it.
  Progress(std::vector<std::string> names, std::set<std::string, std::less<>> typed, const Clock& clock);

  // The newest word of the server. Gives the line that tells what changed, or nothing when nothing did.
  std::optional<std::string> update(StepView view);

  // What a running step says of itself: {"rows": 1000} shows as "rows 1000".
  void note(std::string_view name, const json::object& progress);

  std::vector<std::string> unfinished() const;  // also those of which nothing is known yet
  bool succeeded() const;                       // all of them
  std::vector<const StepView*> failed() const;  // or cancelled, in order

  // A line per step: state, seconds, why it waits. At most terminal.rows - 1 lines, those that run or wait first; none wider
  // than the terminal.
  std::vector<std::string> live_lines(const Terminal& terminal) const;

  // The table at the end: name, service, state, seconds, rows, F1, accuracy.
  std::vector<std::string> result_lines(const std::map<std::string, std::string, std::less<>>& what_was_done) const;

 private:
  struct Entry {
    std::string name;
    std::optional<StepView> view;
    std::optional<SteadyTime> running_since;  // as seen from here
    std::string note;
  };

  Entry* find(std::string_view name);
  std::string describe(const Entry& entry) const;
  std::string seconds_of(const Entry& entry) const;
  std::string remark_of(const Entry& entry) const;

  std::vector<Entry> entries_;
  std::set<std::string, std::less<>> typed_;
  const Clock& clock_;
};

}  // namespace lo::cli
