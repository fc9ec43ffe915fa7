// GET <service>/{name}/profile
#pragma once

#include "api/verbs.h"

namespace lo::api {

// {"result": dataset/profile.h's} of the table that the step gave: the last good one, or the revision's. ?fields= chooses. Code::not_found with
// Retry-After before there is one, Code::unacceptable where the result is no table and for a name that is no field. On the handler's strand.
Answer profile(const Context& context, const Service& service, std::string name, const http::Request& request);

}  // namespace lo::api
