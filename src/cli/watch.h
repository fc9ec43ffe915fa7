// Follows steps until all have ended.
#pragma once

#include <chrono>

#include "cli/api_client.h"
#include "cli/patience.h"
#include "cli/progress.h"
#include "cli/screen.h"

namespace lo::cli {

struct WatchTimes {
  std::chrono::milliseconds tick{500};      // the seconds on the screen go on
  std::chrono::milliseconds trust{10'000};  // in an open stream that says nothing: after it all are asked for
  std::chrono::milliseconds trust_without_stream{1000};
};

// The event stream says that something happened to a step; what it is now, GET /step/{name} says. Where the stream is cut,
// refused or late, steps are asked for now and then. Code::cancelled when interrupted, Code::io when the server stays away.
Status watch(ApiClient& api, Patience& patience, Screen& screen, Progress& progress, WatchTimes times = {});

}  // namespace lo::cli
