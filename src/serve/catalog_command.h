// `orchestra catalog copy`: its options, and what it says.
#pragma once

#include <CLI/App.hpp>

namespace lo::serve {

// `exit_status` becomes that of the command if it runs, and outlives `app`.
void add_catalog_command(CLI::App& app, int& exit_status);

}  // namespace lo::serve
