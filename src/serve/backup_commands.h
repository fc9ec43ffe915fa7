// `orchestra backup` and `orchestra restore`: their options, and what they say.
#pragma once

#include <CLI/App.hpp>

namespace lo::serve {

// Adds the commands. The one that app.parse() finds runs within parse() and leaves its exit status, 0 or 1, in `exit_status`: its result
// in a line on stdout, an error or progress on stderr. `app` and `exit_status` outlive the parsing.
void add_backup_commands(CLI::App& app, int& exit_status);

}  // namespace lo::serve
