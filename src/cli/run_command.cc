#include "cli/run_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "cli/client_commands.h"
#include "cli/failures.h"
#include "cli/patience.h"
#include "cli/post_workflow.h"
#include "cli/progress.h"
#include "cli/watch.h"
#include "workflow/plan.h"

namespace lo::cli {
namespace {

constexpr std::chrono::seconds kPatience{30};

class Run {
 public:
  Run(Connection& connection, Screen& screen, std::FILE* out)
      : api_(*connection.api), screen_(screen), out_(out), patience_(*connection.http, screen, kPatience, [&connection] {
          return connection.own ? connection.own->obituary() : "";
        }) {}

  Result<int> run(const LocalWorkflow& local, bool prune) {
    LO_ASSIGN(auto posted, post_workflow(api_, patience_, screen_, local, prune));
    Progress progress(posted.names, posted.typing, clock_);
    LO_TRY(watch(api_, patience_, screen_, progress));
    tell_failures(api_, screen_, progress);
    for (const auto& line : progress.result_lines(posted.what_was_done)) fmt::print(out_, "{}\n", line);
    std::fflush(out_);
    return progress.succeeded() ? kOk : kStepFailed;
  }

 private:
  ApiClient& api_;
  Screen& screen_;
  std::FILE* out_;
  Patience patience_;
  SystemClock clock_;
};

int tell_interruption(const Connection& connection, Screen& screen) {
  screen.clear();
  if (connection.own)
    screen.say("interrupted: its server stops; the same command goes on from here");
  else
    screen.say(
        fmt::format("interrupted: the steps go on at {}; `orchestra cancel NAME` ends one", connection.http->base_url()));
  return kInterrupted;
}

int tell_error(const Error& error, Screen& screen) {
  screen.clear();
  if (error.code == Code::cancelled) return kInterrupted;
  screen.say("orchestra: " + error.message);
  return kCannot;
}

}  // namespace

int run_workflow(const RunOptions& options, const Interrupt& interrupt, Screen& screen, std::FILE* out) {
  auto local = read_workflow(options.workflow);
  if (!local) return tell_error(local.error(), screen);
  if (auto order = workflow::order_steps(local->flow); !order) return tell_error(order.error(), screen);
  auto connection = connect_or_start(options.server, interrupt);
  if (!connection) return tell_error(connection.error(), screen);
  screen.say(fmt::format("{}: {} {}", local->flow.name, connection->own ? "started a server at" : "uses the server at",
                         connection->http->base_url()));
  auto status = Run(*connection, screen, out).run(*local, options.prune);
  if (status) return *status;
  return status.error().code == Code::cancelled ? tell_interruption(*connection, screen) : tell_error(status.error(), screen);
}

}  // namespace lo::cli
