// `orchestra token`: a new bearer token for a server's --token-file.
#pragma once

#include <CLI/App.hpp>

namespace lo::serve {

// Prints the token, which is kept nowhere, and adds the line that knows it to a file, made readable for its owner alone. `exit_status` outlives the parsing.
void add_token_command(CLI::App& app, int& exit_status);

}  // namespace lo::serve
