// The refusals of records.h in words, the same from every catalog.
#pragma once

#include "catalog/records.h"

namespace lo::catalog {

std::unexpected<Error> refuse_taken_name(const Step& step);
std::unexpected<Error> refuse_taken_id(StepId id);
std::unexpected<Error> refuse_taken_key(RevisionKey key);
std::unexpected<Error> refuse_terminal(RevisionKey key, State stored);
std::unexpected<Error> refuse_open(RevisionKey key);  // to be removed, and has not ended
std::unexpected<Error> refuse_unknown_step(StepId id);
std::unexpected<Error> refuse_unknown_revision(RevisionKey key);
std::unexpected<Error> refuse_unknown_subscription(std::string_view name);
std::unexpected<Error> refuse_unknown_workflow(std::string_view name);

}  // namespace lo::catalog
