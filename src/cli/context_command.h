// `orchestra context`: keeps several servers by name, and says which one the other commands speak to.
#pragma once

#include <CLI/App.hpp>

namespace lo::cli {

// `exit_status` outlives the parsing.
void add_context_command(CLI::App& app, int& exit_status);

}  // namespace lo::cli
