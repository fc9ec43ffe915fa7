#include "serve/catalog_command.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "serve/catalog_copy.h"

namespace lo::serve {
namespace {

struct Places {
  std::string from, to;
};

int run(const Places& places) {
  auto copied = copy_catalog(places.from, places.to);
  if (!copied) {
    fmt::print(stderr, "orchestra: {}\n", printable(copied.error().message, 4000));
    return EXIT_FAILURE;
  }
  fmt::print("copied: {} step{}, {} event{}\n", copied->steps, copied->steps == 1 ? "" : "s", copied->events, copied->events == 1 ? "" : "s");
  if (!copied->left.empty()) fmt::print("The catalog of before is now {}; start the server with --catalog.\n", copied->left);
  return EXIT_SUCCESS;
}

}  // namespace

void add_catalog_command(CLI::App& app, int& exit_status) {
  auto places = std::make_shared<Places>();
  auto* command = app.add_subcommand("catalog", "Move a stopped server's catalog between its data folder and a PostgreSQL");
  command->require_subcommand(1);
  auto* copy = command->add_subcommand("copy", "Copy it; the data folder's catalog is the copy afterwards, the one of before stays where it is");
  copy->add_option("from", places->from, "A data folder, or postgresql://…")->required();
  copy->add_option("to", places->to, "postgresql://… with nothing in it, or a data folder")->required();
  copy->callback([places, &exit_status] { exit_status = run(*places); });
}

}  // namespace lo::serve
