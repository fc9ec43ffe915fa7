#include "run/ray_cluster.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <optional>
#include <regex>

#include "base/fd.h"
#include "base/json.h"
#include "run/environment.h"
#include "run/spawn.h"

namespace lo::run {
namespace {

constexpr std::string_view kRay = "ray:";
constexpr int kPatience = 60'000;  // milliseconds; each of its own questions has a shorter one

// Ends it when it has taken too long. Its exit status; nothing when it had none of its own.
std::optional<int> wait_for(pid_t pid) {
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd over{.fd = process.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  while ((ready = ::poll(&over, 1, kPatience)) < 0 && errno == EINTR) {
  }
  if (ready <= 0) ::kill(-pid, SIGKILL);  // it leads a group of its own
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
}

std::string content_of(int file) {
  std::string text(static_cast<std::size_t>(std::max<off_t>(0, ::lseek(file, 0, SEEK_END))), '\0');
  auto bytes = ::pread(file, text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(0, bytes)));
  return text;
}

// Its last line that is JSON: Ray itself prints what it likes.
json::object answer_in(std::string_view text) {
  while (!text.empty()) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    auto begin = text.rfind('\n') + 1;  // 0 when there is none
    if (auto object = parse_json_object(text.substr(begin))) return *object;
    text = text.substr(0, begin);
  }
  return {};
}

double number(const json::object& object, std::string_view key) {
  boost::system::error_code error;
  const auto* value = object.if_contains(key);
  auto result = value == nullptr ? 0 : value->to_number<double>(error);
  return error ? 0 : result;
}

}  // namespace

std::string is_runner(const std::string& text) {
  static const std::regex address("ray:([A-Za-z0-9._-]+|\\[[0-9a-fA-F:]+\\]):[0-9]{1,5}");
  if (text == "local" || std::regex_match(text, address)) return "";
  return fmt::format("\"{}\" is neither local nor ray:HOST:PORT, such as ray:head.example.org:6379", text);
}

std::string ray_address(const std::string& runner) { return runner.starts_with(kRay) ? runner.substr(kRay.size()) : ""; }

Result<RayCluster> look_at_ray(const RayOptions& ray, const std::filesystem::path& runtime) {
  UniqueFd said(::memfd_create("ray", MFD_CLOEXEC));
  if (!said) return fail_errno("memfd_create", errno);
  SpawnRequest request{.argv = {ray.python.string(), "-I", (runtime / "orchestra_ray_client.py").string(), "--address", ray.address, "--check"},
                       .environment = ray.environment,
                       .folder = "/",
                       .log = fmt::format("/proc/self/fd/{}", said.get())};
  auto pid = spawn(request);
  if (!pid) return fail(Code::unacceptable, fmt::format("{}: `./orchestra environment ray` makes it, --ray-python names another", pid.error().message));
  auto status = wait_for(*pid);
  auto answer = answer_in(content_of(said.get()));
  if (auto why = string_or(answer, "refused"); !why.empty()) return fail(Code::unacceptable, std::move(why));
  if (auto why = string_or(answer, "unreachable"); !why.empty()) return fail(Code::unavailable, std::move(why));
  if (status != 0 || !answer.contains("ray"))
    return fail(Code::unavailable, fmt::format("{} could not be asked: {} ended {}", ray.address, ray.python.string(), status ? fmt::format("with status {}", *status) : "by a signal"));
  return RayCluster{.version = string_or(answer, "ray"),
                    .nodes = static_cast<int>(number(answer, "nodes")),
                    .cpus = number(answer, "cpus"),
                    .gpus = static_cast<int>(number(answer, "gpus")),
                    .memory = static_cast<std::int64_t>(number(answer, "memory"))};
}

}  // namespace lo::run
