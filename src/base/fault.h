// Named places where a test can make the process fail. A point costs next to nothing while no test asks for it.
// Set by the environment variable ORCHESTRA_FAULTS, read once: "store.publish.after=abort", "catalog.commit.before=abort@3"
// (the third pass), "store.publish.before=error@2", several parted by commas. abort is SIGKILL to the process itself: no
// destructor, no flush, as a power cut would have it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lo {

// Passes the named point: dies there, gives the injected error (Code::io), or (always, outside tests) success. Any thread.
// A rule that cannot be read aborts the process with a message: a test with a misspelt one would show nothing.
Status fault_point(std::string_view name);

// Every name that exists, for tests that abort at each one. A new point is added to the list in fault.cc; passing one that
// is not listed is a programmer error and aborts in tests.
const std::vector<std::string_view>& fault_names();

// The rules of one ORCHESTRA_FAULTS, counting the passes of each.
class FaultPlan {
 public:
  enum class Action { none, error, abort };

  // Takes in "name=action[@n]", parted by commas. Code::malformed naming the rule that cannot be read.
  Status add(std::string_view rules);

  bool empty() const { return rules_.empty(); }

  // What is to happen at this pass of `name`. Any thread.
  Action pass(std::string_view name);

 private:
  struct Rule {
    std::string name;
    Action action = Action::none;
    std::uint64_t nth = 1;
    std::atomic<std::uint64_t> passes = 0;
  };

  Status add_rule(std::string_view text);

  std::deque<Rule> rules_;
};

}  // namespace lo
