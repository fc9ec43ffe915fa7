// `orchestra backfill WORKFLOW --from TIME --to TIME`.
#pragma once

#include <cstdio>
#include <string>

#include "cli/connection.h"
#include "cli/interrupt.h"
#include "cli/screen.h"

namespace lo::cli {

struct BackfillOptions {
  ServerChoice server;
  std::string workflow;
  std::string from, to;  // "2026-01-31", midnight in UTC, or "2026-01-31T10:00:00+02:00"; `to` is left out
  bool again = false;    // also the times that have results
};

// Has the workflow made for each time of its schedule, one after the other, oldest first, and tells each on `out`. Times that have
// results are passed over, so a backfill that was cut off goes on where it stopped. Where the workflow had been made for a later time, it is made
// for that one again in the end: the newest revisions are those of the newest time. Stops at the first time of which a step fails. Gives the exit
// status (client_commands.h). Blocks.
int backfill(const BackfillOptions& options, const Interrupt& interrupt, Screen& screen, std::FILE* out);

}  // namespace lo::cli
