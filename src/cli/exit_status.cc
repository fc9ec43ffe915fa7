#include "cli/exit_status.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/terminal.h"

namespace lo::cli {

int tell(const Error& error) {
  if (error.code == Code::cancelled) return kInterrupted;
  fmt::print(stderr, "orchestra: {}\n", for_terminal(error.message, Lines::keep));
  return kCannot;
}

}  // namespace lo::cli
