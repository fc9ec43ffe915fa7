// The ids of all steps in their order, for pages far from the beginning of a list: SQLite would step over every row before them. 16 bytes a
// step, once somebody has asked for such a page. Any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "catalog/records.h"

namespace lo::catalog::sqlite {

// What a commit did to it: a step was added, or one is gone ("" as its service).
struct StepChange {
  StepId id = 0;
  std::string service = {};
  bool operator==(const StepChange&) const = default;
};
std::vector<StepChange> step_changes(const Batch& batch);

class StepOrder {
 public:
  using Visit = std::function<void(std::string_view service, StepId id)>;
  using ReadAll = std::function<Status(const Visit&)>;  // by service, then id

  // The id of the step before which there are `skip` others, of that service ("": of any). Nothing when there are not so many. The first
  // call reads all of them; commits meanwhile wait for nothing.
  Result<std::optional<StepId>> at(std::string_view service, std::int64_t skip, const ReadAll& read_all);

  // To be told of each commit after it is done, in order.
  void changed(std::vector<StepChange> changes);

 private:
  using Ids = std::map<std::string, std::vector<StepId>, std::less<>>;  // by service, and all of them by ""
  enum class Known { nothing, soon, all };

  Status learn(const ReadAll& read_all);
  static void apply(const StepChange& change, Ids& ids);

  Mutex learning_;  // before mutex_
  Mutex mutex_;
  Known known_ LO_GUARDED_BY(mutex_) = Known::nothing;
  Ids ids_ LO_GUARDED_BY(mutex_);
  std::vector<StepChange> meanwhile_ LO_GUARDED_BY(mutex_);  // while all are being read
};

}  // namespace lo::catalog::sqlite
