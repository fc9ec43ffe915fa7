// For tests: a PostgreSQL of their own, on a Unix socket in a temporary folder. Only the role "locked" needs a password. It goes with the process that started it, also when
// that is killed.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/mutex.h"
#include "base/named_thread.h"
#include "base/testing/temporary_folder.h"

namespace lo::catalog::postgres {

class PrivateServer {
 public:
  enum class Disk { waits_for_nothing, is_waited_for };  // fsync

  explicit PrivateServer(Disk disk = Disk::waits_for_nothing) : fsync_(disk == Disk::is_waited_for ? "fsync=on" : "fsync=off") {
    own(folder_.path());
    auto pid = spawn({program("initdb"), "-D", data(), "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"});
    if (wait(pid) != 0) throw std::runtime_error("initdb failed: " + heard());
    std::ofstream(folder_.path() / "data" / "pg_hba.conf") << "local all locked scram-sha-256\nlocal all all trust\n";
    start();
  }
  ~PrivateServer() { kill(); }
  PrivateServer(const PrivateServer&) = delete;
  PrivateServer& operator=(const PrivateServer&) = delete;

  // The one for all tests of this process.
  static PrivateServer& shared() {
    static PrivateServer server;
    return server;
  }

  std::string url(const std::string& database) const { return fmt::format("postgresql://postgres@/{}?host={}", database, folder_.path().string()); }
  std::filesystem::path socket() const { return folder_.path() / ".s.PGSQL.5432"; }

  // Returns once it takes connections, after it has recovered what a kill() left.
  void start() {
    process_ = spawn({program("postgres"), "-D", data(), "-k", folder_.path().string(), "-c", "listen_addresses=", "-c", fsync_, "-c", "max_connections=40",
                      "-c", "shared_buffers=16MB", "-c", "logging_collector=off"});
    MutexLock lock(mutex_);
    while (!is_ready_ && !has_ended_) changed_.wait(mutex_);
    if (!is_ready_) throw std::runtime_error("PostgreSQL did not start: " + text_);
  }

  // kill -9 of every process of it. None of them can begin another meanwhile.
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGSTOP);
    auto children = children_of(process_);
    for (auto child : children) ::kill(child, SIGKILL);
    ::kill(process_, SIGKILL);
    wait(std::exchange(process_, 0));
    listener_.reset();  // returns when the last of them has closed the pipe: they are gone
  }

 private:
  // Where Debian has it, else on PATH.
  static std::string program(const std::string& name) {
    std::string path = "/usr/lib/postgresql/15/bin/" + name;
    return ::access(path.c_str(), X_OK) == 0 ? path : name;
  }
  std::string data() const { return (folder_.path() / "data").string(); }

  static const passwd* other_user() {
    static const passwd* user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
    return user;
  }

  // PostgreSQL does not run as root.
  static void own(const std::filesystem::path& folder) {
    if (const auto* user = other_user(); user != nullptr && ::chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown failed");
  }

  // Its output is listened to by a thread of its own.
  pid_t spawn(std::vector<std::string> words) {
    std::vector<std::string> before{"/usr/bin/setpriv", "--pdeathsig", "QUIT"};
    if (const auto* user = other_user())
      for (auto& word : {fmt::format("--reuid={}", user->pw_uid), fmt::format("--regid={}", user->pw_gid), std::string("--clear-groups")}) before.push_back(word);
    words.insert(words.begin(), before.begin(), before.end());
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    UniqueFd write_end(pipe[1]);
    listen(UniqueFd(pipe[0]));
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
    ::posix_spawn_file_actions_addchdir_np(&actions, "/");
    const char* outer = std::getenv("PATH");
    std::string path = std::string("PATH=") + (outer == nullptr ? "/usr/bin:/bin" : outer), language = "LC_ALL=C";
    std::array<char*, 3> environment{path.data(), language.data(), nullptr};
    pid_t pid = 0;
    auto failed = ::posix_spawn(&pid, pointers[0], &actions, nullptr, pointers.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("setpriv cannot be started");
    return pid;
  }

  void listen(UniqueFd output) {
    listener_.reset();
    is_ready_ = has_ended_ = false;
    text_.clear();
    listener_ = std::make_unique<NamedThread>("postgres-log", [this, output = std::move(output)] {
      std::array<char, 4096> buffer{};
      for (;;) {
        auto count = ::read(output.get(), buffer.data(), buffer.size());
        MutexLock lock(mutex_);
        if (count > 0) text_.append(buffer.data(), static_cast<std::size_t>(count));
        else has_ended_ = true;
        is_ready_ = text_.contains("ready to accept connections");
        changed_.notify_all();
        if (has_ended_) return;
      }
    });
  }

  static int wait(pid_t pid) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }

  std::string heard() {
    MutexLock lock(mutex_);
    return text_;
  }

  static std::vector<pid_t> children_of(pid_t pid) {
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", pid));
    std::vector<pid_t> children;
    for (pid_t child = 0; file >> child;) children.push_back(child);
    return children;
  }

  const std::string fsync_;
  TemporaryFolder folder_;
  pid_t process_ = 0;
  Mutex mutex_;
  Condition changed_;
  std::string text_ LO_GUARDED_BY(mutex_);  // what it has said
  bool is_ready_ LO_GUARDED_BY(mutex_) = false;
  bool has_ended_ LO_GUARDED_BY(mutex_) = false;
  std::unique_ptr<NamedThread> listener_;
};

}  // namespace lo::catalog::postgres
