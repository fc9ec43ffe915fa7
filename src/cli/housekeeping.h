// The commands about what a server keeps.
#pragma once

#include <cstdio>

#include "cli/api_client.h"

namespace lo::cli {

// Prints what went, or with `dry_run` what would go.
Status collect_garbage(ApiClient& api, bool dry_run, std::FILE* out);

// Prints what the steps took, a line per value of the label.
Status print_usage(ApiClient& api, const std::string& label, std::FILE* out);

}  // namespace lo::cli
