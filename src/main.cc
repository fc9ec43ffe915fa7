// orchestra: the server and its client commands in one binary.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>

#include "cli/client_commands.h"
#include "serve/application.h"
#include "serve/backup_commands.h"
#include "serve/catalog_command.h"
#include "serve/doctor_command.h"
#include "serve/token_command.h"
#include "store/bucket.h"

int main(int argc, char** argv) {
  CLI::App app("Machine-learning workflows, step by step, over one asynchronous REST API", "orchestra");
  app.set_version_flag("--version", ORCHESTRA_VERSION);
  app.require_subcommand(1);
  int exit_status = EXIT_SUCCESS;
  lo::serve::Options options;
  auto* serve = lo::serve::add_serve_command(app, options);
  lo::cli::add_client_commands(app, exit_status);
  lo::serve::add_backup_commands(app, exit_status);
  lo::serve::add_catalog_command(app, exit_status);
  lo::serve::add_doctor_command(app, exit_status);
  lo::serve::add_token_command(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : lo::cli::kCannot;
  }
  if (serve->parsed()) exit_status = lo::serve::run(options);
  lo::store::finish_buckets();
  return exit_status;
}
