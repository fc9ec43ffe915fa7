#include "cli/own_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

extern "C" {  // glibc 2.36 leaves this out
#include <sys/pidfd.h>
}

#include "base/id.h"
#include "cli/log_tail.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kHeldByAnother = 3;  // exit status of `serve`
constexpr int kLastLines = 12;

std::filesystem::path log_of(const OwnServerOptions& options) { return options.data / "server.log"; }

int milliseconds_until(Clock::time_point end) {
  auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

// Until one of the descriptors is readable, or the end.
Status poll_until(std::span<pollfd> wait, Clock::time_point end) {
  for (;;) {
    int ready = ::poll(wait.data(), wait.size(), milliseconds_until(end));
    if (ready > 0) return {};
    if (ready == 0) return fail(Code::timeout, "nothing happened in time");
    if (errno != EINTR) return fail_errno("poll", errno);
  }
}

Status make_folder(const std::filesystem::path& path) {
  std::error_code error;
  bool is_new = std::filesystem::create_directories(path, error);
  if (is_new && !error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error) return fail(Code::io, fmt::format("cannot make the folder '{}': {}", path.string(), error.message()));
  return {};
}

// What posix_spawn is told about signals, groups and descriptors.
class SpawnAttributes {
 public:
  explicit SpawnAttributes(const std::string& log) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);  // Ctrl-C of the terminal is for the client, which then stops it in order
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~SpawnAttributes() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;

  Result<pid_t> spawn(const std::string& program, std::vector<std::string> arguments) const {
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t pid = -1;
    if (int error = ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv.data(), environ); error != 0)
      return fail_errno(fmt::format("cannot start '{}'", program), error);
    return pid;
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

std::optional<int> port_in(const std::filesystem::path& file) {
  auto text = read_text(file);
  if (!text) return {};
  int port = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), port);
  return error == std::errc{} && port > 0 ? std::optional(port) : std::nullopt;
}

struct RemoveOnExit {
  std::filesystem::path path;
  ~RemoveOnExit() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

}  // namespace

// From the spawn until the server accepts.
class OwnServerStart {
 public:
  OwnServerStart(OwnServerOptions options, const Interrupt& interrupt) : options_(std::move(options)), interrupt_(interrupt) {}

  Result<ServerAtHand> run() {
    LO_TRY(make_folder(options_.data));
    UniqueFd news(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!news || ::inotify_add_watch(news.get(), options_.data.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE) < 0)
      return fail_errno(fmt::format("cannot watch '{}'", options_.data.string()), errno);
    LO_ASSIGN(auto server, spawn());
    return wait(std::move(server), news.get());
  }

 private:
  Result<OwnServer> spawn() {
    auto log = log_of(options_);
    std::error_code none;
    auto size = std::filesystem::file_size(log, none);
    auto begin = none ? 0 : static_cast<std::int64_t>(size);
    LO_ASSIGN(auto pid,
              SpawnAttributes(log.string())
                  .spawn(options_.program.string(), {"orchestra", "serve", "--port", "0", "--data", options_.data.string(),
                                                     "--port-file", port_file_.path.string()}));
    UniqueFd pidfd(::pidfd_open(pid, 0));
    if (!pidfd) {
      int error = errno;
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return fail_errno("cannot watch the server", error);
    }
    return OwnServer(options_, pid, std::move(pidfd), begin);
  }

  Result<ServerAtHand> wait(OwnServer server, int news) {
    auto end = Clock::now() + options_.start_limit;
    while (!port_in(port_file_.path)) {
      auto waited = wait_for_news(server.pidfd_.get(), news, end);
      if (!waited) return did_not_start(server, std::move(waited).error());
      if (*waited == News::ended) return ended(server, news, end);
    }
    server.url_ = fmt::format("http://127.0.0.1:{}", *port_in(port_file_.path));
    return ServerAtHand{.url = server.url_, .own = std::move(server)};
  }

  enum class News { ended, folder };

  // Code::cancelled, Code::timeout. pidfd: -1 for no process.
  Result<News> wait_for_news(int pidfd, int news, Clock::time_point end) {
    std::array<pollfd, 3> waits{{{pidfd, POLLIN, 0}, {news, POLLIN, 0}, {interrupt_.fd(), POLLIN, 0}}};
    LO_TRY(poll_until(waits, end));
    if (waits[2].revents != 0) return fail(Code::cancelled, "interrupted");
    if (waits[0].revents != 0) return News::ended;
    drain(news);
    return News::folder;
  }

  static void drain(int news) {
    std::array<char, 4096> events;
    while (::read(news, events.data(), events.size()) > 0) continue;
  }

  static std::unexpected<Error> did_not_start(const OwnServer& server, Error why) {
    if (why.code == Code::cancelled) return fail(std::move(why));
    auto last = last_lines(log_of(server.options_), server.log_begin_, kLastLines);
    return fail(Code::io, fmt::format("the server did not start ({}):\n{}", why.message, last));
  }

  Result<ServerAtHand> ended(OwnServer& server, int news, Clock::time_point end) {
    int status = 0;
    ::waitpid(std::exchange(server.pid_, -1), &status, 0);
    bool held = WIFEXITED(status) && WEXITSTATUS(status) == kHeldByAnother;
    if (!held) return did_not_start(server, {.message = "it ended"});
    // The holder may be starting still.
    auto url = read_text(options_.data / "server.url");
    for (; !url; url = read_text(options_.data / "server.url")) {
      if (auto waited = wait_for_news(-1, news, end); !waited) return did_not_start(server, std::move(waited).error());
    }
    url->erase(url->find_last_not_of(" \r\n\t") + 1);
    return ServerAtHand{.url = *std::move(url), .own = {}};
  }

  OwnServerOptions options_;
  const Interrupt& interrupt_;
  RemoveOnExit port_file_{options_.data / (".port-" + make_token())};
};

OwnServer::OwnServer(OwnServerOptions options, pid_t pid, UniqueFd pidfd, std::int64_t log_begin)
    : options_(std::move(options)), pid_(pid), pidfd_(std::move(pidfd)), log_begin_(log_begin) {}

OwnServer::OwnServer(OwnServer&& other) noexcept
    : options_(std::move(other.options_)),
      pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      log_begin_(other.log_begin_),
      url_(std::move(other.url_)) {}

OwnServer::~OwnServer() { stop(); }

std::string OwnServer::obituary() const {
  pollfd wait{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (pid_ >= 0 && ::poll(&wait, 1, 0) == 0) return "";
  return fmt::format("the server ended unexpectedly:\n{}", last_lines(log_of(options_), log_begin_, kLastLines));
}

void OwnServer::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  std::array<pollfd, 1> wait{{{pidfd_.get(), POLLIN, 0}}};
  if (!poll_until(wait, Clock::now() + options_.stop_limit)) ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
}

Result<ServerAtHand> start_own_server(OwnServerOptions options, const Interrupt& interrupt) {
  return OwnServerStart(std::move(options), interrupt).run();
}

}  // namespace lo::cli
