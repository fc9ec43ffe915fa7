// Entity tags of steps, and what If-Match makes of them.
//
// The tag of a document that shows one step is "<step>.<revision>.<state>-<digest of the body>". A change that is made with If-Match is
// made if one of its tags begins with what the step is in the moment of accepting it. So the tag of any document of the step will do,
// and what else a document shows, such as the place in the queue, is no reason to refuse.
#pragma once

#include "api/metadata.h"
#include "http/message.h"

namespace lo::api {

engine::Version version_of(const StepRecord& record);

// The response, which shows this step, with its tag; 304 where If-None-Match names it.
http::Response with_step_etag(const http::Request& request, const StepRecord& record, http::Response response);

// What If-Match asks for; nothing without it, and for "*", which any step matches that exists.
engine::OnlyIf only_if(const http::Request& request);

}  // namespace lo::api
