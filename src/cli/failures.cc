#include "cli/failures.h"

#include <fmt/format.h>

#include "cli/log_tail.h"

namespace lo::cli {
namespace {

constexpr int kLogLines = 10;

}  // namespace

void tell_failures(ApiClient& api, Screen& screen, const Progress& progress) {
  for (const auto* view : progress.failed()) {
    auto reason = view->exception.empty() ? view->reason : view->exception;
    screen.say(fmt::format("{} {}: {}", view->name, view->status, reason.empty() ? "no reason is given" : reason));
    if (view->reason == "upstream_failed") continue;  // it never ran
    auto log = api.log(view->name);
    if (log && !log->empty()) screen.say(fmt::format("  the log of {} ends:\n{}", view->name, last_lines(*log, kLogLines)));
  }
}

}  // namespace lo::cli
