// Bringing a server to what a workflow file says.
#pragma once

#include <set>

#include "cli/api_client.h"
#include "cli/patience.h"
#include "cli/screen.h"

namespace lo::cli {

// What was done for each name.
struct Posted {
  std::vector<std::string> names;                            // of steps and of datasets that are typed, parents first
  std::set<std::string, std::less<>> typing;                 // those of them whose dataType has not ended
  std::map<std::string, std::string, std::less<>> what_was_done;  // "created", "changed", "run again", "reused", "typed"
};

// Sends the files that the server does not have, then posts the workflow, and says on `screen` what that changed. Where a file can only be
// sent after other steps (an environment that it is loaded in), those are created first. Errors have the lines of the file.
Result<Posted> post_workflow(ApiClient& api, Patience& patience, Screen& screen, const LocalWorkflow& local, bool prune);

}  // namespace lo::cli
