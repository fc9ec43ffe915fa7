// A request for a step on its way in: read, checked against other steps, handed to the engine. What POST and PATCH of one step and a
// whole workflow have in common.
#pragma once

#include "api/metadata.h"
#include "api/service.h"

namespace lo::api {

// What can be checked against other steps, the environment among them. May complete the draft. Blocks where needs_check().
bool needs_check(const Service& service, const Draft& draft);
Status check_draft(const Context& context, const Service& service, Draft& draft);

// The draft of the whole request after PATCH has changed `change` of it. Code::not_found when the step is another service's.
Result<Draft> changed_draft(const Context& context, const Service& service, const StepRecord& record, json::object change);

// The new revision that a draft of changed_draft() asks for.
engine::Revise revise_by(const Service& service, Draft draft);

// The new revision of a dataset that a dataType asks for.
engine::Revise revise_by(DataTypeBody body);

Awaitable<Result<std::vector<engine::Accepted>>> submit(const Context& context, Draft draft,
                                                        std::optional<catalog::Receipt> receipt = {});
Awaitable<Result<engine::Accepted>> revise(const Context& context, engine::Revise revision);

// One source of the result takes the place of another: a file that is sent that of a URL, and the other way round. Of a PATCH.
void replace_source(const UploadForm& form, json::object& change);

}  // namespace lo::api
