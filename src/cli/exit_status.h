// What a client command ends with.
#pragma once

#include "base/error.h"

namespace lo::cli {

inline constexpr int kOk = 0;
inline constexpr int kStepFailed = 1;     // the server did what was asked, and a step failed
inline constexpr int kCannot = 2;         // bad usage, a bad workflow file, no server
inline constexpr int kInterrupted = 130;  // Ctrl-C, as a shell counts it

// Says on stderr what went wrong, unless the user interrupted it; gives the exit status.
int tell(const Error& error);

}  // namespace lo::cli
