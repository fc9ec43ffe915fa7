#include "cli/backfill.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/id.h"
#include "cli/client_commands.h"
#include "cli/failures.h"
#include "cli/patience.h"
#include "cli/progress.h"
#include "cli/watch.h"

namespace lo::cli {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kLengthOfDate = 10;  // "2026-01-31"

std::string full_time(const std::string& text) { return text.size() == kLengthOfDate ? text + "T00:00:00Z" : text; }

class Backfill {
 public:
  Backfill(Connection& connection, Screen& screen, std::FILE* out, const BackfillOptions& options)
      : api_(*connection.api), screen_(screen), out_(out), options_(options), patience_(*connection.http, screen, kPatience, {}) {}

  Result<int> run() {
    auto to = full_time(options_.to);
    LO_ASSIGN(auto times, times_between(full_time(options_.from), to));
    LO_ASSIGN(auto later, times_between(to, format_time(clock_.now())));
    bool any = false;
    for (const auto& time : times) {
      if (time.finished && !options_.again) {
        tell(time.text, "has its results");
        continue;
      }
      any = true;
      LO_ASSIGN(bool succeeded, make_for(time.text));
      if (!succeeded) return kStepFailed;
    }
    auto newest = std::ranges::find_if(later.rbegin(), later.rend(), &ScheduledTime::finished);
    if (!any || newest == later.rend()) return kOk;
    LO_ASSIGN(bool succeeded, make_for(newest->text));
    return succeeded ? kOk : kStepFailed;
  }

 private:
  Result<std::vector<ScheduledTime>> times_between(const std::string& from, const std::string& to) {
    return patience_.ask([&] { return api_.workflow_times(options_.workflow, from, to); });
  }

  void tell(std::string_view time, std::string_view what) {
    fmt::print(out_, "{} {}\n", time, what);
    std::fflush(out_);
  }

  Result<bool> make_for(const std::string& time) {
    auto key = make_token();
    LO_ASSIGN(auto names, patience_.ask([&] { return api_.rerun_workflow(options_.workflow, time, key); }));
    Progress progress(std::move(names), {}, clock_);
    LO_TRY(watch(api_, patience_, screen_, progress));
    tell_failures(api_, screen_, progress);
    tell(time, progress.succeeded() ? "finished" : "failed");
    return progress.succeeded();
  }

  ApiClient& api_;
  Screen& screen_;
  std::FILE* out_;
  const BackfillOptions& options_;
  Patience patience_;
  SystemClock clock_;
};

int tell_error(const Error& error, Screen& screen) {
  screen.clear();
  if (error.code == Code::cancelled) {
    screen.say("interrupted: what was begun goes on; the same command goes on from there");
    return kInterrupted;
  }
  screen.say("orchestra: " + error.message);
  return kCannot;
}

}  // namespace

int backfill(const BackfillOptions& options, const Interrupt& interrupt, Screen& screen, std::FILE* out) {
  auto connection = connect(options.server, interrupt);
  if (!connection) return tell_error(connection.error(), screen);
  auto status = Backfill(*connection, screen, out, options).run();
  return status ? *status : tell_error(status.error(), screen);
}

}  // namespace lo::cli
