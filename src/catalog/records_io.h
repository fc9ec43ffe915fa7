// Records as rows and back, the same columns in every database. Reading gives Code::corrupt where a row cannot have been written by us.
#pragma once

#include <vector>

#include "base/json_reader.h"
#include "catalog/records.h"
#include "catalog/row.h"

namespace lo::catalog {

// Requests may nest kMaxJsonDepth deep, and are put into other objects before they get here.
inline constexpr std::size_t kStoredDepth = 4 * kMaxJsonDepth;

// What each takes stands in the constant above it, in that order.
inline constexpr const char* kStepColumns = "step.id, step.name, step.service, step.created, step.labels";
Result<Step> read_step(Row& row);

inline constexpr const char* kRevisionColumns =
    "revision.step, revision.revision, step.name, revision.operation, revision.job, revision.request, revision.parents, "
    "revision.state, revision.reason, revision.exception, revision.accepted, revision.started, revision.ended, "
    "revision.attempts, revision.lost, revision.facts";
Result<Revision> read_revision(Row& row);                // without its result
Result<Revision> read_revision_and_result(Row& row);     // kRevisionColumns, then revision.result

inline constexpr const char* kOutlineColumns = "step, revision, operation, parents, state, reason, accepted, ended, request, facts";

// Of the many rows that a start reads: what is JSON of one reader's revisions is made in one memory, which goes with the last of them.
class OutlineReader {
 public:
  explicit OutlineReader(const Outline& outline) : outline_(outline) {}
  Result<Revision> read(Row& row);

 private:
  Result<std::vector<Parent>> read_parents(Row& row);
  Result<json::object> members(std::string_view text, const std::vector<std::string_view>& names);

  const Outline& outline_;
  JsonReader json_{kStoredDepth};
  json::storage_ptr memory_ = json::make_shared_resource<json::monotonic_resource>();
};

inline constexpr const char* kAttemptColumns =
    "step, revision, number, token, started, ended, state, reason, exception, message, cpu_seconds, peak_memory";
Result<Attempt> read_attempt(Row& row);

inline constexpr const char* kEventColumns = "seq, at, name, service, revision, type, data";
Result<Event> read_event(Row& row);

inline constexpr const char* kSubscriptionColumns = "name, created, options";
Result<Subscription> read_subscription(Row& row);

inline constexpr const char* kWorkflowColumns = "name, created, changed, steps, document";
Result<Workflow> read_workflow(Row& row);
inline constexpr const char* kReceiptColumns = "key, request, created, answer";
Result<Receipt> read_receipt(Row& row);

// value, steps, revisions, attempts, cpu_seconds, peak_memory, bytes
Result<Usage> read_usage(Row& row);

std::string write_parents(const std::vector<Parent>& parents);
std::optional<std::int64_t> optional_micros(const std::optional<WallTime>& time);

}  // namespace lo::catalog
