#include "run/spawn.h"

#include <fcntl.h>
#include <spawn.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>

#include "base/fd.h"

namespace lo::run {
namespace {

// Owner of the two objects that posix_spawn is configured with.
class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

void set_attributes(posix_spawnattr_t* attributes) {
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(attributes, &none);
  ::posix_spawnattr_setsigdefault(attributes, &all);
  ::posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));  // exec only reads them
  result.push_back(nullptr);
  return result;
}

// Copies with numbers so high that no dup2 of the child overwrites a source that a later one needs.
Result<std::vector<UniqueFd>> out_of_the_way(const std::vector<std::pair<int, int>>& descriptors) {
  std::vector<UniqueFd> copies;
  for (auto [ours, theirs] : descriptors) {
    int copy = ::fcntl(ours, F_DUPFD_CLOEXEC, 64);
    if (copy < 0) return fail_errno("fcntl F_DUPFD_CLOEXEC", errno);
    copies.emplace_back(copy);
  }
  return copies;
}

}  // namespace

Result<pid_t> spawn(const SpawnRequest& request) {
  LO_ASSIGN(auto sources, out_of_the_way(request.descriptors));
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  UniqueFd log(::open(request.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!null || !log) return fail_errno("cannot open " + request.log.string(), errno);

  SpawnSettings settings;
  set_attributes(settings.attributes());
  auto* actions = settings.actions();
  ::posix_spawn_file_actions_adddup2(actions, null.get(), 0);
  ::posix_spawn_file_actions_adddup2(actions, log.get(), 1);
  ::posix_spawn_file_actions_adddup2(actions, log.get(), 2);
  int first_free = 3;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    auto number = request.descriptors[i].second;
    ::posix_spawn_file_actions_adddup2(actions, sources[i].get(), number);
    first_free = std::max(first_free, number + 1);
  }
  ::posix_spawn_file_actions_addclosefrom_np(actions, first_free);
  ::posix_spawn_file_actions_addchdir_np(actions, request.folder.c_str());

  pid_t pid = 0;
  auto argv = pointers(request.argv);
  auto environment = pointers(request.environment);
  int error = ::posix_spawn(&pid, argv[0], actions, settings.attributes(), argv.data(), environment.data());
  if (error != 0) return fail_errno("cannot start " + request.argv[0], error);
  return pid;
}

}  // namespace lo::run
