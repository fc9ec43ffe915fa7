// A request body into the store.
#pragma once

#include "api/context.h"
#include "http/message.h"

namespace lo::api {

// Streams the body to disk and publishes it as a blob: {"digest", "bytes"}. Code::too_large over context.upload_limit,
// Code::unacceptable when it is empty; nothing is left then. The blob is pinned until settle_upload.
Awaitable<Result<json::object>> receive_upload(const Context& context, http::BodyReader& body);

// The step with this body is on disk, or was refused: an upload that nothing refers to is removed.
Awaitable<void> settle_upload(const Context& context, const json::object& body);

}  // namespace lo::api
