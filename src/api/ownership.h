// The label "owner" where requests bring tokens: it says who made a step, whose turn it is and whose warm processes it uses, and so it is the token's.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace lo::api {

// `user` is whose token a request brought; "" where none is asked for, and then any label goes. Code::forbidden at labels/owner, naming both, where the
// body says that the step is somebody else's. Pure.
Status check_owner(const json::object& body, std::string_view user);

// The same, and where the body says nothing, it says so afterwards.
Status set_owner(json::object& body, std::string_view user);

}  // namespace lo::api
