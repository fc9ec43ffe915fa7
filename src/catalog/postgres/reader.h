// The questions of catalog.h as SQL. Each but events_after(), unreferenced() and held_only_by() is one statement, so it sees one moment of the
// catalog. Used by one thread at a time.
#pragma once

#include <set>

#include "catalog/postgres/connection.h"
#include "catalog/records.h"

namespace lo::catalog::postgres {

class Reader {
 public:
  explicit Reader(Connection connection) : connection_(std::move(connection)) {}

  // After an error: whether another connection may help.
  bool lost() const { return connection_.lost(); }
  Connection& connection() { return connection_; }

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
  Result<std::optional<Receipt>> find_receipt(std::string_view key);
  Result<std::vector<Receipt>> receipts_after(std::string_view key, std::int64_t limit);
  Result<std::vector<Usage>> usage(std::string_view label);
  Result<std::vector<std::string>> garbage();
  Result<std::vector<std::string>> unreferenced(const std::vector<std::string>& digests);
  Result<std::vector<std::string>> held_only_by(const std::vector<RevisionKey>& revisions);
  Result<std::set<std::string>> live_digests();
  // The next ones, in the order of their keys; none when there are no more.
  Result<std::vector<Step>> steps_after(StepId id, std::int64_t limit);
  Result<std::vector<Revision>> outlines_after(RevisionKey key, const Outline& outline, std::int64_t limit);
  // Those of these names, and what there is of their revisions, by step, then revision.
  Result<std::vector<Step>> steps_named(const std::vector<std::string>& names);
  Result<std::vector<Revision>> outlines_named(const std::vector<std::string>& names, const Outline& outline);
  Result<std::vector<Revision>> open_revisions();
  Result<std::vector<Step>> all_steps();
  Result<std::vector<Revision>> all_revisions();

 private:
  Result<bool> held_by_others(const std::string& digest, const std::set<RevisionKey>& revisions);

  Connection connection_;
};

}  // namespace lo::catalog::postgres
