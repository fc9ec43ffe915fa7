// `orchestra doctor`: its options, and how it says what it finds.
#pragma once

#include <CLI/App.hpp>

namespace lo::serve {

// `exit_status` becomes that of the command if it runs: 1 when something is broken. It outlives `app`.
void add_doctor_command(CLI::App& app, int& exit_status);

}  // namespace lo::serve
