// How a step is shown: its metadata document and its execution documents, in the words of the API.
#pragma once

#include <optional>
#include <vector>

#include "api/context.h"
#include "base/json.h"

namespace lo::api {

// All that is known of a step. `revisions` is not empty, oldest first.
struct StepRecord {
  catalog::Step step;
  std::vector<catalog::Revision> revisions;
  std::vector<catalog::Attempt> attempts;
  std::optional<engine::Standing> standing;

  const catalog::Revision& newest() const { return revisions.back(); }
  const catalog::Revision* last_good() const;          // the newest that finished; nullptr when none has
  const catalog::Revision* find(int number) const;     // nullptr when there is none
};

// Reads a step from the catalog. Code::not_found. Blocks.
Result<StepRecord> read_step(const Context& context, std::string_view name);
Result<StepRecord> read_step(const Context& context, catalog::Step step);  // of which the first part is known already

// The document with _id 0. A step that is being made anew shows its last good result with `finished: false`; a dataset whose dataType
// failed stays as it was, with `lastError`. Pure.
json::object metadata_of(const StepRecord& record);

// One document per attempt, _id from 1: {_id, exception, description, functionParameters, functionMessage, startTime, endTime, status,
// reason, revision, attempt}. Pure.
json::array executions_of(const StepRecord& record);

// What GET /step/{name} adds to the metadata: request, operation, parents, waitsFor, wait, revisions. Pure.
json::object step_view_of(const StepRecord& record);

}  // namespace lo::api
