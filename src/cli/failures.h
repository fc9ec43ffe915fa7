// What is said of steps that failed.
#pragma once

#include "cli/api_client.h"
#include "cli/progress.h"
#include "cli/screen.h"

namespace lo::cli {

// A line for each, and the end of its log.
void tell_failures(ApiClient& api, Screen& screen, const Progress& progress);

}  // namespace lo::cli
