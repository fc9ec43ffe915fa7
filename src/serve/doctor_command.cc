#include "serve/doctor_command.h"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "run/ray_cluster.h"
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

int run(DoctorOptions options) {
  options.python.runtime = options.home / "runtime" / "python";
  if (const char* java = std::getenv("JAVA_HOME"); java != nullptr) options.python.java_home = java;  // NOLINT: one thread
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
  command->add_option("--runner", options->runner, "As serve's: the Ray cluster that steps run on, if they do")
      ->envname("ORCHESTRA_RUNNER")
      ->capture_default_str()
      ->check(run::is_runner);
  command->add_option("--home", options->home, "As serve's: folder that holds runtime/python")->envname("ORCHESTRA_HOME");
  command->add_option("--ray-python", options->ray_python, "As serve's: Python of the environment ray")->envname("ORCHESTRA_RAY_PYTHON");
  command->add_option("--spark-python", options->python.spark_python, "As serve's: Python of the Spark steps")->envname("ORCHESTRA_SPARK_PYTHON");
  add_spark_options(*command, options->spark);
  command->callback([options, &exit_status] { exit_status = run(*options); });
}

}  // namespace lo::serve
