// Records as rows and back. Reading gives Code::corrupt where a row cannot have been written by us.
#pragma once

#include <vector>

#include "catalog/records.h"
#include "catalog/sqlite/query.h"

namespace lo::catalog::sqlite {

// What each takes stands in the constant above it, in that order.
inline constexpr const char* kStepColumns = "step.id, step.name, step.service, step.created, step.labels";
Result<Step> read_step(Query& row);

inline constexpr const char* kRevisionColumns =
    "revision.step, revision.revision, step.name, revision.operation, revision.job, revision.request, revision.parents, "
    "revision.state, revision.reason, revision.exception, revision.accepted, revision.started, revision.ended, "
    "revision.attempts, revision.lost, revision.facts";
Result<Revision> read_revision(Query& row);                // without its result
Result<Revision> read_revision_and_result(Query& row);     // kRevisionColumns, then revision.result

std::string outline_columns(const Outline& outline);
Result<Revision> read_outline(Query& row, const Outline& outline);

inline constexpr const char* kAttemptColumns =
    "step, revision, number, token, started, ended, state, reason, exception, message, cpu_seconds, peak_memory";
Result<Attempt> read_attempt(Query& row);

inline constexpr const char* kEventColumns = "seq, at, name, service, revision, type, data";
Result<Event> read_event(Query& row);

inline constexpr const char* kSubscriptionColumns = "name, created, options";
Result<Subscription> read_subscription(Query& row);

inline constexpr const char* kWorkflowColumns = "name, created, changed, steps, document";
Result<Workflow> read_workflow(Query& row);
inline constexpr const char* kReceiptColumns = "key, request, created, answer";
Result<Receipt> read_receipt(Query& row);

// value, steps, revisions, attempts, cpu_seconds, peak_memory, bytes
Result<Usage> read_usage(Query& row);

std::string write_parents(const std::vector<Parent>& parents);
std::optional<std::int64_t> optional_micros(const std::optional<WallTime>& time);

}  // namespace lo::catalog::sqlite
