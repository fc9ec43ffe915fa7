// The questions of catalog.h as SQL. Each but unreferenced() is one statement, so it sees one moment of the catalog. Used by
// one thread at a time.
#pragma once

#include <set>

#include "catalog/records.h"
#include "catalog/sqlite/connection.h"

namespace lo::catalog::sqlite {

class Reader {
 public:
  explicit Reader(Connection connection) : connection_(std::move(connection)) {}

  Result<std::optional<Step>> find_step(std::string_view name);
  Result<std::vector<Step>> list_steps(const StepFilter& filter);
  Result<std::optional<Revision>> revision(RevisionKey key);
  Result<std::vector<Revision>> revisions(StepId step);
  Result<std::vector<Attempt>> attempts(StepId step);
  Result<std::vector<Event>> events_after(std::int64_t seq, const EventFilter& filter, int limit);
  Result<std::int64_t> last_event();
  Result<std::int64_t> first_event();
  Result<std::vector<Subscription>> subscriptions();
  Result<std::optional<Workflow>> find_workflow(std::string_view name);
  Result<std::vector<Workflow>> list_workflows(std::int64_t limit, std::int64_t skip);
  Result<std::vector<std::string>> garbage();
  Result<std::vector<std::string>> unreferenced(std::vector<std::string> digests);
  Result<std::set<std::string>> live_digests();
  Result<std::vector<Step>> all_steps();
  Result<std::vector<Revision>> all_revisions();

 private:
  Connection connection_;
};

}  // namespace lo::catalog::sqlite
