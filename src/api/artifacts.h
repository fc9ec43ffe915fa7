// Giving back the disk space of results that nothing names any more.
#pragma once

#include "api/context.h"

namespace lo::api {

// Removes the files that the catalog lists as garbage, then takes them off the list. Gives the bytes freed. What is just being
// published again is left for the next time. Also for the start: a server that died between the two goes on here.
Awaitable<Result<std::int64_t>> collect_garbage(const Context& context);

// What the caller published and pinned is on record now, or is not wanted: unpins it, and removes the files that no revision refers to.
// Blocks.
Status settle(const Context& context, const store::Manifest& manifest);

// The same for a result as the engine hands it over. Logs what goes wrong. Blocks.
void settle_result(const Context& context, const json::object& result);

}  // namespace lo::api
