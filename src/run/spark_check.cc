#include "run/spark_check.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <optional>

#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "run/spawn.h"

namespace lo::run {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kTheirSocket = 3;
constexpr std::size_t kMostAnswer = 64 * 1024;

// A process that is killed with its session, and waited for, when its owner is done.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

 private:
  const pid_t pid_;
};

SpawnRequest command(const SparkCheck& check, int socket) {
  const auto& python = check.python;
  std::vector<std::string> environment{fmt::format("PATH={}:/usr/local/bin:/usr/bin:/bin", python.spark_python.parent_path().string()), "LANG=C.UTF-8"};
  if (!python.java_home.empty()) environment.push_back("JAVA_HOME=" + python.java_home.string());
  environment.insert(environment.end(), check.spark.environment.begin(), check.spark.environment.end());
  return {.argv = {python.spark_python.string(), "-I", (python.runtime / "orchestra_spark_check.py").string()},
          .environment = std::move(environment),
          .folder = "/",
          .log = "/dev/null",
          .descriptors = {{socket, kTheirSocket}}};
}

// Over the socket, where nobody else sees the token.
std::string question(const SparkCheck& check) {
  const auto& spark = check.spark;
  return json::serialize(json::object{{"url", spark.place.url},
                                      {"token", spark.place.token},
                                      {"name", spark.place.name()},
                                      {"shown", spark.place.shown()},
                                      {"defaults", spark.defaults.string()},
                                      {"memory", spark.memory},
                                      {"store", check.store.string()},
                                      {"thorough", check.thorough}});
}

// Until the other side has closed. Nothing when it did not in time.
std::optional<std::string> answer_from(int socket, SteadyClock::time_point end) {
  std::string answer;
  std::array<char, 4096> buffer{};
  while (answer.size() < kMostAnswer) {
    pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
    auto left = std::chrono::ceil<std::chrono::milliseconds>(end - SteadyClock::now()).count();
    auto ready = left > 0 ? ::poll(&wait, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    auto got = ::read(socket, buffer.data(), buffer.size());
    if (got <= 0) return answer;
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

Result<SparkAnswer> said(const SparkCheck& check, const std::string& answer) {
  auto message = parse_json_object(answer);
  if (!message) return fail(Code::unavailable, fmt::format("{} (--spark-python) cannot ask {}", check.python.spark_python.string(), check.spark.place.name()));
  if (auto error = string_or(*message, "error"); !error.empty()) return fail(Code::unavailable, printable(error, 600));
  return SparkAnswer{.says = printable(string_or(*message, "says"), 600), .warning = printable(string_or(*message, "warning"), 600)};
}

}  // namespace

Result<SparkAnswer> check_spark(const SparkCheck& check) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return fail_errno("socketpair", errno);
  UniqueFd ours(ends[0]), theirs(ends[1]);
  LO_ASSIGN(auto pid, spawn(command(check, theirs.get())));
  Child child(pid);
  theirs.reset();
  auto asked = question(check);
  if (::send(ours.get(), asked.data(), asked.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(asked.size())) return said(check, "");
  ::shutdown(ours.get(), SHUT_WR);
  auto answer = answer_from(ours.get(), SteadyClock::now() + check.patience);
  if (!answer) return fail(Code::unavailable, fmt::format("{} has not answered for {} s", check.spark.place.name(), check.patience.count() / 1000));
  return said(check, *answer);
}

}  // namespace lo::run
