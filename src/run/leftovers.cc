#include "run/leftovers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "base/fd.h"
#include "base/log.h"
#include "run/environment.h"
#include "run/process_table.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLeastReserve = 512LL << 20;
constexpr std::time_t kYoungest = 2;  // seconds: a folder that is just being made is not locked yet

fs::path cgroup_note(const fs::path& data) { return data / "run" / "cgroups"; }

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool is_abandoned(const fs::path& folder) {
  UniqueFd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!lock || ::fstat(lock.get(), &info) != 0 || ::time(nullptr) - info.st_ctime < kYoungest) return false;
  return ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
}

std::int64_t cgroup_limit() {
  auto least = std::numeric_limits<std::int64_t>::max();
  for (const auto& group : parse_cgroups(read_file("/proc/self/mountinfo"), read_file("/proc/self/cgroup")))
    for (const char* name : {"memory.max", "memory.limit_in_bytes"}) {
      auto text = read_file(group.folder / name);
      std::int64_t bytes = 0;  // "max" is no number
      if (std::from_chars(text.data(), text.data() + text.size(), bytes).ec == std::errc{}) least = std::min(least, bytes);
    }
  return least;
}

// What was killed while it was being made: see orchestra_runtime/environments.py.
void remove_unfinished_environments(const fs::path& environments) {
  std::error_code error;
  for (fs::directory_iterator it(environments, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string().starts_with(".making-")) {
      std::error_code ignored;
      fs::remove_all(it->path(), ignored);
    }
}

}  // namespace

Result<std::string> server_id_of(const fs::path& data) {
  struct stat info {};
  if (::stat(data.c_str(), &info) != 0) return fail_errno("cannot open " + data.string(), errno);
  return fmt::format("{:x}-{:x}", info.st_dev, info.st_ino);
}

void clear_leftovers(const fs::path& data, std::string_view server_id) {
  for (auto pid : processes_with_environment(server_mark(server_id))) {
    log::warn("run: process {} was left by an earlier server and is killed", pid);
    kill_tree(pid);
  }
  std::ifstream note(cgroup_note(data));
  for (std::string root; std::getline(note, root);)
    if (fs::path(root).filename() == server_id) sweep_cgroups(root);
  std::error_code ignored;
  fs::remove_all(data / "run", ignored);
  fs::remove_all(data / "spark", ignored);
  remove_unfinished_environments(data / "environments");
}

Status note_cgroups(const fs::path& data, const Cgroups& cgroups) {
  std::ofstream note(cgroup_note(data));
  for (const auto& root : cgroups.roots()) {
    note << root.string() << '\n';
    sweep_cgroups(root);
  }
  note.flush();
  if (!note) return fail(Code::io, "cannot write " + cgroup_note(data).string());
  return {};
}

void remove_environments_but(const fs::path& data, const std::set<std::string>& digests) {
  std::error_code error;
  for (fs::directory_iterator it(data / "environments", error), end; !error && it != end; it.increment(error)) {
    auto name = it->path().filename().string();
    if (name.starts_with('.') || digests.contains(name)) continue;
    log::info("run: environment {} belongs to no step any more and is removed", name);
    std::error_code ignored;
    fs::remove_all(it->path(), ignored);
  }
}

void remove_abandoned_scratch(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (is_abandoned(it->path())) {
      std::error_code ignored;
      fs::remove_all(it->path(), ignored);
    }
}

std::int64_t memory_for_jobs() {
  auto machine = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
  auto all = std::min(machine, cgroup_limit());
  return all - std::min(all / 2, std::max(all / 10, kLeastReserve));
}

}  // namespace lo::run
