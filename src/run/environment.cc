#include "run/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <fmt/format.h>

namespace lo::run {
namespace {

namespace fs = std::filesystem;

std::string home_folder() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? "/" : found->pw_dir;
}

std::vector<std::string> base_environment(const RunContext& context, const fs::path& python) {
  std::vector<std::string> environment{
      fmt::format("PATH={}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", python.parent_path().string()),
      "HOME=" + home_folder(),
      "LANG=C.UTF-8",
      "TZ=UTC",
      "TMPDIR=" + (context.run_folder() / "tmp").string(),
      "PYTHONDONTWRITEBYTECODE=1",
      server_mark(context.server_id),
  };
  if (const auto& java = context.options.python.java_home; !java.empty()) environment.push_back("JAVA_HOME=" + java.string());
  return environment;
}

}  // namespace

std::string server_mark(std::string_view server_id) { return fmt::format("ORCHESTRA_SERVER={}", server_id); }

SpawnRequest fork_server_command(const RunContext& context, WorkerKind kind, const fs::path& python, std::string_view name) {
  const auto& options = context.options.python;
  auto environment = base_environment(context, python);
  environment.push_back("MPLCONFIGDIR=" + (context.options.data / "cache" / "matplotlib").string());  // its list of fonts outlives steps
  // One thread until the fork: see "Running Python" in the design. A step raises them to its share.
  for (const char* variable : {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1",
                               "JE_ARROW_MALLOC_CONF=background_thread:false"})
    environment.emplace_back(variable);
  std::vector<std::string> argv{python.string(), "-I", (options.runtime / "orchestra_forkserver.py").string(), "--kind", std::string(to_string(kind))};
  for (const auto& root : context.cgroups.roots()) argv.insert(argv.end(), {"--group", root.string()});
  return {.argv = std::move(argv),
          .environment = std::move(environment),
          .folder = context.run_folder(),
          .log = context.options.data / "logs" / fmt::format("fork-server-{}.log", name)};
}

SpawnRequest remote_file_command(const RunContext& context, const std::string& url) {
  const auto& options = context.options;
  auto environment = base_environment(context, options.python.python);
  // What is said twice counts as it is said last: Python takes the first, as getenv does.
  environment.insert(environment.begin(), options.remote.environment.begin(), options.remote.environment.end());
  environment.emplace_back("AWS_EC2_METADATA_DISABLED=true");  // credentials are those that somebody set up
  return {.argv = {options.python.python.string(), "-I", (options.python.runtime / "orchestra_remote_file.py").string(), url},
          .environment = std::move(environment),
          .folder = context.run_folder(),
          .log = options.data / "logs" / "remote-files.log"};
}

SpawnRequest spark_server_command(const RunContext& context, int port, const std::string& secret) {
  const auto& python = context.options.python.spark_python;
  auto environment = base_environment(context, python);
  environment.push_back("SPARK_CONNECT_AUTHENTICATE_TOKEN=" + secret);
  auto folder = context.options.data / "spark";
  return {.argv = {python.string(), "-I", (context.options.python.runtime / "orchestra_spark_server.py").string(), "--port",
                   std::to_string(port), "--work-dir", folder.string(), "--memory", context.options.spark.memory},
          .environment = std::move(environment),
          .folder = folder,
          .log = context.options.data / "logs" / "spark-server.log"};
}

SpawnRequest guard_command(const RunContext& context, pid_t group) {
  // `kill -s`: dash takes "kill -KILL --" for a process named "--".
  return {.argv = {"/bin/sh", "-c", "read -r _ <&3; kill -s KILL -- \"-$1\"", "orchestra-guard", std::to_string(group)},
          .environment = {server_mark(context.server_id)},
          .folder = "/",
          .log = "/dev/null"};
}

}  // namespace lo::run
