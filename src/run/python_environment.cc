#include "run/python_environment.h"

#include <signal.h>
#include <unistd.h>

#include <fmt/format.h>
#include <utility>

#include "base/log.h"
#include "run/environment.h"

namespace lo::run {
namespace {

// Set-up is the user's own command: it works with the user's own environment.
std::vector<std::string> inherited_environment(const RunContext& context) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  variables.push_back(server_mark(context.server_id));
  return variables;
}

}  // namespace

PythonEnvironment::PythonEnvironment(std::shared_ptr<RunContext> context, Options options)
    : context_(std::move(context)), options_(std::move(options)) {}

std::filesystem::path PythonEnvironment::log() const {
  return context_->options.data / "logs" / fmt::format("environment-{}.log", options_.name);
}

void PythonEnvironment::acquire(Ready ready) {
  std::error_code ignored;
  if (options_.python.empty() && std::filesystem::exists(options_.made, ignored)) options_.python = options_.made;
  if (!options_.python.empty()) return ready(options_.python);
  waiting_.push_back(std::move(ready));
  if (!is_being_made()) make();
}

void PythonEnvironment::make() {
  log::info("run: the environment {} is being made; {} tells more", options_.name, log().string());
  SpawnRequest request{.argv = {options_.set_up.string(), "environment", options_.name},
                       .environment = inherited_environment(*context_),
                       .folder = "/",
                       .log = log()};
  auto pid = context_->reaper->spawn(request, [weak = weak_from_this()](ExitStatus exit) {
    if (auto self = weak.lock()) self->on_exit(exit);
  });
  if (!pid) return answer(std::unexpected(pid.error()));
  pid_ = *pid;
}

void PythonEnvironment::on_exit(const ExitStatus& exit) {
  pid_ = 0;
  std::error_code ignored;
  if (exit.status == 0 && std::filesystem::exists(options_.made, ignored)) {
    log::info("run: the environment {} is there", options_.name);
    options_.python = options_.made;
    return answer(options_.python);
  }
  answer(fail(Code::unavailable, fmt::format("the environment {} could not be made ({}): {} tells why", options_.name, describe(exit),
                                             log().string())));
}

void PythonEnvironment::answer(const Result<std::filesystem::path>& python) {
  for (auto& ready : std::exchange(waiting_, {})) ready(python);
}

void PythonEnvironment::stop() {
  if (pid_ != 0) context_->reaper->kill(pid_, SIGKILL);  // what it had started becomes ours, and is killed as every orphan is
  answer(fail(Code::unavailable, "the server is stopping"));
}

}  // namespace lo::run
