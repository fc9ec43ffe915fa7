// `orchestra run WORKFLOW`.
#pragma once

#include <cstdio>
#include <filesystem>

#include "cli/connection.h"
#include "cli/interrupt.h"
#include "cli/screen.h"

namespace lo::cli {

struct RunOptions {
  std::filesystem::path workflow;
  ServerChoice server;
  bool prune = false;  // delete the steps that the workflow had and has no more
};

// Brings the server to what the file says, watches until all steps have ended, and prints the table of results to `out`. Gives
// the exit status (client_commands.h). Blocks.
int run_workflow(const RunOptions& options, const Interrupt& interrupt, Screen& screen, std::FILE* out);

}  // namespace lo::cli
