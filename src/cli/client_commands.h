// The commands of `orchestra` that are clients of a server: run, ls, get, logs, cancel, rm.
#pragma once

#include <CLI/App.hpp>

#include "cli/exit_status.h"

namespace lo::cli {

// Adds the commands to `app`. The one that app.parse() finds runs within parse() and leaves its exit status in
// `exit_status`. Results go to stdout, all else to stderr. Blocks; call it on the main thread of a process that has no others
// yet (it blocks SIGINT and SIGTERM to read them from a descriptor). `app` and `exit_status` outlive the parsing.
//
// `run` may start `/proc/self/exe serve --port 0 --data DIR --port-file PATH`.
void add_client_commands(CLI::App& app, int& exit_status);

}  // namespace lo::cli
