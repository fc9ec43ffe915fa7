#include "serve/doctor_command.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "serve/doctor.h"

namespace lo::serve {
namespace {

std::string_view name_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::ok: return "ok";
    case Finding::Level::warning: return "warning";
    case Finding::Level::broken: return "broken";
  }
  return "";
}

int run(const DoctorOptions& options) {
  auto findings = examine(options);
  for (const auto& finding : findings) {
    fmt::print("{:<8} {:<12} {}\n", name_of(finding.level), finding.part, printable(finding.says, 1000));
    if (!finding.todo.empty()) fmt::print("{:<21} -> {}\n", "", printable(finding.todo, 1000));
  }
  bool is_broken = std::ranges::any_of(findings, [](const auto& finding) { return finding.level == Finding::Level::broken; });
  return is_broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<DoctorOptions>();
  options->data = "./orchestra-data";
  auto* command = app.add_subcommand("doctor", "Say of each part of a server whether it works, and what to do where it does not; changes nothing");
  command->add_option("--data", options->data, "Folder of everything a server keeps")->capture_default_str();
  command->add_option("--catalog", options->catalog, "As serve's: where the catalog is, if not in the data folder")->envname("ORCHESTRA_CATALOG");
  command->add_option("--store", options->store, "As serve's: where the results are, if not in the data folder")->envname("ORCHESTRA_STORE");
  command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace lo::serve
