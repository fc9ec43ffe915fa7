// An event as clients see it: in the stream, in a long poll's answer and in a webhook's call.
#pragma once

#include "base/json.h"
#include "catalog/records.h"

namespace lo::observe {

// {…what the type adds, event, id, time}
json::object event_document(const catalog::Event& event);

// What stands for the events up to `seq` that are no longer kept.
json::object reset_document();

}  // namespace lo::observe
