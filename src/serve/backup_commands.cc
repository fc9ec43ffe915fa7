#include "serve/backup_commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>

#include "base/text.h"
#include "serve/backup.h"

namespace lo::serve {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPause{2};  // between lines of progress

// "12.3 MB": three digits or so, of 1000 bytes.
std::string size_text(std::int64_t bytes) {
  constexpr std::array kUnits{"bytes", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  return fmt::format("{:.{}f} {}", size, unit == 0 ? 0 : 1, kUnits.at(unit));
}

std::string count_text(std::size_t count, std::string_view what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); }

// Every few seconds a line, for whom it takes long.
std::function<void(const BackupProgress&)> progress_lines() {
  return [next = steady_clock::now() + kPause](const BackupProgress& progress) mutable {
    if (steady_clock::now() < next) return;
    next = steady_clock::now() + kPause;
    fmt::print(stderr, "{} of {}, {}\n", progress.done, count_text(progress.all, "object"), size_text(progress.bytes));
  };
}

using Work = Result<BackupSummary> (*)(const BackupOptions&);

int run(const BackupOptions& options, std::string_view done, Work work) {
  auto begun = steady_clock::now();
  auto summary = work(options);
  if (!summary) {
    fmt::print(stderr, "orchestra: {}\n", printable(summary.error().message, 4000));
    return EXIT_FAILURE;
  }
  fmt::print("{}: {}, {} of {} ({} copied), {:.1f} s\n", done, count_text(summary->steps, "step"), size_text(summary->bytes),
             count_text(summary->objects, "object"), summary->copied, std::chrono::duration<double>(steady_clock::now() - begun).count());
  return EXIT_SUCCESS;
}

void add_command(CLI::App& app, int& exit_status, const std::string& name, const std::string& about, const char* done, Work work) {
  auto options = std::make_shared<BackupOptions>();
  options->data = "./orchestra-data";
  auto* command = app.add_subcommand(name, about);
  command->add_option("backup", options->backup, "Folder of the backup")->required();
  command->add_option("--data", options->data, "Folder of everything a server keeps")->capture_default_str();
  command->callback([options, &exit_status, done, work] {
    options->progress = progress_lines();
    exit_status = run(*options, done, work);
  });
}

}  // namespace

void add_backup_commands(CLI::App& app, int& exit_status) {
  add_command(app, exit_status, "backup", "Copy a data folder, also of a running server; into an older backup, only what is new", "backed up",
              make_backup);
  add_command(app, exit_status, "restore", "Make a new data folder of a backup", "restored", restore_backup);
}

}  // namespace lo::serve
