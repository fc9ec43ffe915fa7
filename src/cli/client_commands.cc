#include "cli/client_commands.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <functional>
#include <memory>

#include "cli/backfill.h"
#include "cli/compare.h"
#include "cli/connection.h"
#include "cli/context_command.h"
#include "cli/housekeeping.h"
#include "cli/run_command.h"
#include "cli/step_commands.h"

namespace lo::cli {
namespace {

void add_server_options(CLI::App& command, ServerChoice& server) {
  command
      .add_option("--server", server.url, fmt::format("URL of a server, or the name of a context; else the context in use, else {}, or the one that holds --data", kDefaultServer))
      ->envname("ORCHESTRA_SERVER");
  command.add_option("--data", server.data, fmt::format("data folder of a server; else {}", kDefaultData));
}

// Connects, then does `work`.
int with_server(const ServerChoice& server, const std::function<Status(ApiClient&)>& work) {
  auto interrupt = Interrupt::listen();
  if (!interrupt) return tell(interrupt.error());
  auto connection = connect(server, *interrupt);
  if (!connection) return tell(connection.error());
  auto done = work(*connection->api);
  return done ? kOk : tell(done.error());
}

int run(const RunOptions& options) {
  // A reader of the results that leaves early must not leave a server of ours behind.
  std::signal(SIGPIPE, SIG_IGN);
  auto interrupt = Interrupt::listen();
  if (!interrupt) return tell(interrupt.error());
  Screen screen(stderr, inspect_terminal(fileno(stderr)));
  return run_workflow(options, *interrupt, screen, stdout);
}

void add_run(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "Bring a server to what a workflow file says, and show how it goes");
  command->add_option("workflow", options->workflow, "YAML or JSON file")->required();
  command->add_flag("--prune", options->prune, "delete the steps that the workflow had and has no more");
  add_server_options(*command, options->server);
  command->callback([options, &exit_status] { exit_status = run(*options); });
}

int run_backfill(const BackfillOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  auto interrupt = Interrupt::listen();
  if (!interrupt) return tell(interrupt.error());
  Screen screen(stderr, inspect_terminal(fileno(stderr)));
  return backfill(options, *interrupt, screen, stdout);
}

void add_backfill(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<BackfillOptions>();
  auto* command = app.add_subcommand("backfill", "Have a scheduled workflow made for times that are over, one after the other");
  command->add_option("workflow", options->workflow, "its name")->required();
  command->add_option("--from", options->from, "the first time: 2026-01-31 (midnight in UTC) or 2026-01-31T10:00:00+02:00")->required();
  command->add_option("--to", options->to, "where to stop: this time is left out")->required();
  command->add_flag("--again", options->again, "also the times that have results");
  add_server_options(*command, options->server);
  command->callback([options, &exit_status] { exit_status = run_backfill(*options); });
}

// What the options of a command about steps are read into.
struct StepOptions {
  ServerChoice server;
  std::string service;
  std::string status;
  std::vector<std::string> names;
  DocumentsWanted wanted;
  std::string format = "yaml";
  bool flag = false;
};

using Work = std::function<Status(ApiClient&, const StepOptions&)>;

CLI::App* add_command(CLI::App& app, int& exit_status, const std::shared_ptr<StepOptions>& options, const std::string& name,
                      const std::string& about, Work work) {
  auto* command = app.add_subcommand(name, about);
  add_server_options(*command, options->server);
  command->callback([options, &exit_status, work = std::move(work)] {
    exit_status = with_server(options->server, [&](ApiClient& api) { return work(api, *options); });
  });
  return command;
}

void add_ls(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(app, exit_status, options, "ls", "List the steps", [](ApiClient& api, const StepOptions& given) {
    return given.flag ? list_workflows(api, stdout) : list_steps(api, given.service, given.status, stdout);
  });
  command->add_flag("--workflows", options->flag, "the workflows instead");
  command->add_option("--service", options->service, "only of this service, such as dataset/csv");
  command->add_option("--status", options->status, "only in this state, such as running");
}

void add_get(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command =
      add_command(app, exit_status, options, "get", "Print a result: metadata, then its documents, as lines of JSON",
                  [](ApiClient& api, const StepOptions& given) { return print_documents(api, given.wanted, stdout); });
  command->add_option("name", options->wanted.name, "of the step")->required();
  command->add_option("--limit", options->wanted.limit, "most documents")->capture_default_str()->check(CLI::Range(0, 1000));
  command->add_option("--skip", options->wanted.skip, "documents to leave out first")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--query", options->wanted.query, "filter in MongoDB's words, JSON")->capture_default_str();
}

void add_logs(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(
      app, exit_status, options, "logs", "Print what a step printed",
      [](ApiClient& api, const StepOptions& given) { return print_log(api, given.wanted.name, given.flag, stdout); });
  command->add_option("name", options->wanted.name, "of the step")->required();
  command->add_flag("--follow,-f", options->flag, "go on until the step has ended");
}

void add_cancel(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(app, exit_status, options, "cancel", "End a step", [](ApiClient& api, const StepOptions& given) {
    return cancel_step(api, given.wanted.name, stdout);
  });
  command->add_option("name", options->wanted.name, "of the step")->required();
}

void add_rm(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(
      app, exit_status, options, "rm", "Delete a step and its result",
      [](ApiClient& api, const StepOptions& given) { return remove_step(api, given.wanted.name, given.flag, stdout); });
  command->add_option("name", options->wanted.name, "of the step")->required();
  command->add_flag("--cascade", options->flag, "also what was made from it, cancelling what runs");
}

void add_compare(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(app, exit_status, options, "compare", "Show how steps differ: parameters of their lines, metrics side by side",
                              [](ApiClient& api, const StepOptions& given) { return compare_steps(api, given.names, stdout); });
  command->add_option("names", options->names, "of the steps, two or more")->required()->expected(2, 20);
}

void add_export(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(app, exit_status, options, "export", "Print a workflow as its steps are now: a file that `run` takes",
                              [](ApiClient& api, const StepOptions& given) { return export_workflow(api, given.wanted.name, given.format, stdout); });
  command->add_option("name", options->wanted.name, "of the workflow")->required();
  command->add_option("--format", options->format, "yaml or json")->capture_default_str()->check(CLI::IsMember({"yaml", "json"}));
}

void add_gc(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  auto* command = add_command(app, exit_status, options, "gc", "Remove what a server's options do not keep: old revisions, logs, events",
                              [](ApiClient& api, const StepOptions& given) { return collect_garbage(api, given.flag, stdout); });
  command->add_flag("--dry-run", options->flag, "only show what would go");
}

void add_usage(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<StepOptions>();
  options->wanted.name = "owner";
  auto* command = add_command(app, exit_status, options, "usage", "Show processor time, memory and bytes by the values of a label",
                              [](ApiClient& api, const StepOptions& given) { return print_usage(api, given.wanted.name, stdout); });
  command->add_option("--label", options->wanted.name, "its key")->capture_default_str();
}

}  // namespace

void add_client_commands(CLI::App& app, int& exit_status) {
  add_run(app, exit_status);
  add_backfill(app, exit_status);
  add_ls(app, exit_status);
  add_get(app, exit_status);
  add_logs(app, exit_status);
  add_cancel(app, exit_status);
  add_rm(app, exit_status);
  add_compare(app, exit_status);
  add_export(app, exit_status);
  add_gc(app, exit_status);
  add_usage(app, exit_status);
  add_context_command(app, exit_status);
}

}  // namespace lo::cli
