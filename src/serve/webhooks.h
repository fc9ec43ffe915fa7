// What ties the webhooks of observe to the HTTP client of dataset, which do not know each other.
#pragma once

#include "dataset/poster.h"
#include "observe/webhooks.h"
#include "serve/options.h"

namespace lo::serve {

// `poster` outlives what is given.
observe::SendDelivery send_through(dataset::Poster& poster);

observe::RetrySchedule retry_schedule(const Options& options);

}  // namespace lo::serve
