#include "cli/run_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "cli/client_commands.h"
#include "cli/log_tail.h"
#include "cli/patience.h"
#include "cli/plan_execution.h"
#include "cli/progress.h"
#include "cli/services.h"
#include "cli/watch.h"
#include "cli/workflow_plan.h"

namespace lo::cli {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr int kLogLines = 10;

// What the workflow makes, and the datasets of others that it types, in the order of the plan.
std::vector<std::string> watched_names(const Workflow& workflow, const std::vector<Action>& plan) {
  std::vector<std::string> names;
  for (const auto& action : plan) {
    const auto& step = workflow.steps[action.step];
    auto touched = step.service == kDataType ? std::vector{step.title} : step.makes;
    for (auto& name : touched)
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::string_view past_of(Act act) {
  switch (act) {
    case Act::reuse: return "reused";
    case Act::create: return "created";
    case Act::patch: return "changed";
    case Act::rerun: return "run again";
  }
  return "";
}

std::string describe(const Workflow& workflow, const Action& action) {
  const auto& step = workflow.steps[action.step];
  auto what = action.names.empty() ? fmt::format("types of {}", step.title) : fmt::format("{}", fmt::join(action.names, ", "));
  return fmt::format("{:6} {} ({})", to_string(action.act), what, action.reason);
}

std::map<std::string, std::string, std::less<>> what_was_done(const Workflow& workflow, const std::vector<Action>& plan) {
  std::map<std::string, std::string, std::less<>> done;
  for (const auto& action : plan) {
    if (action.names.empty() && action.act != Act::reuse) done.try_emplace(workflow.steps[action.step].title, "typed");
    for (const auto& name : action.names) done.insert_or_assign(name, past_of(action.act));
  }
  return done;
}

class Run {
 public:
  Run(Connection& connection, Screen& screen, std::FILE* out)
      : api_(*connection.api), screen_(screen), out_(out), patience_(*connection.http, screen, kPatience, [&connection] {
          return connection.own ? connection.own->obituary() : "";
        }) {}

  Result<int> run(const Workflow& workflow) {
    LO_ASSIGN(auto stored, look_up(api_, patience_, names_of(workflow)));
    LO_ASSIGN(auto plan, make_plan(workflow, stored));
    for (const auto& action : plan) {
      screen_.say(describe(workflow, action));
      LO_TRY(carry_out(api_, patience_, workflow, stored, action));
    }
    Progress progress(watched_names(workflow, plan), typing_names(workflow, stored, plan), clock_);
    LO_TRY(watch(api_, patience_, screen_, progress));
    show_failures(progress);
    for (const auto& line : progress.result_lines(what_was_done(workflow, plan))) fmt::print(out_, "{}\n", line);
    std::fflush(out_);
    return progress.succeeded() ? kOk : kStepFailed;
  }

 private:
  void show_failures(const Progress& progress) {
    for (const auto* view : progress.failed()) {
      auto reason = view->exception.empty() ? view->reason : view->exception;
      screen_.say(fmt::format("{} {}: {}", view->name, view->status, reason.empty() ? "no reason is given" : reason));
      if (view->reason == "upstream_failed") continue;  // it never ran
      auto log = api_.log(view->name);
      if (log && !log->empty()) screen_.say(fmt::format("  the log of {} ends:\n{}", view->name, last_lines(*log, kLogLines)));
    }
  }

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
  auto workflow = read_workflow(options.workflow);
  if (!workflow) return tell_error(workflow.error(), screen);
  if (auto order = order_steps(*workflow); !order) return tell_error(order.error(), screen);
  auto connection = connect_or_start(options.server, interrupt);
  if (!connection) return tell_error(connection.error(), screen);
  screen.say(fmt::format("{}: {} {}", workflow->name, connection->own ? "started a server at" : "uses the server at",
                         connection->http->base_url()));
  auto status = Run(*connection, screen, out).run(*workflow);
  if (status) return *status;
  return status.error().code == Code::cancelled ? tell_interruption(*connection, screen) : tell_error(status.error(), screen);
}

}  // namespace lo::cli
