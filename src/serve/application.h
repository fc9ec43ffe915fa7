// The server put together: every part is made here, in order, and taken down in the other order.
#pragma once

#include "base/error.h"
#include "serve/options.h"

namespace lo::serve {

inline constexpr int kHeld = 3;  // exit status when another server holds the data folder

// Runs until SIGTERM or SIGINT, then at most 10 s more. Gives the process's exit status; what is wrong stands on stderr in one line.
int run(const Options& options);

}  // namespace lo::serve
