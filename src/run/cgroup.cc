#include "run/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/fd.h"
#include "base/log.h"

namespace lo::run {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "learning-orchestra";

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Status write_file(const fs::path& path, std::string_view text) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) return fail_errno("cannot write " + path.string(), errno);
  return {};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in{std::string(text)};
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool has(std::string_view list, std::string_view word, char separator) {
  auto words = split(list, separator);
  return std::ranges::find(words, word) != words.end();
}

// The group of this process in the hierarchy of `controller`, as /proc/self/cgroup tells: "4:memory,x:/path", "0::/path".
std::optional<std::string> own_path(std::string_view self, std::string_view controller) {
  for (const auto& line : split(self, '\n')) {
    auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    bool mine = controller.empty() ? parts[0] == "0" : has(parts[1], controller, ',');
    if (mine) return parts[2];
  }
  return std::nullopt;
}

// One line of mountinfo: "36 31 0:33 ROOT MOUNTPOINT options - TYPE source SUPEROPTIONS".
struct Mount {
  std::string root, point, type, options;
};

std::optional<Mount> parse_mount(const std::string& line) {
  auto dash = line.find(" - ");
  if (dash == std::string::npos) return std::nullopt;
  auto before = split(std::string_view(line).substr(0, dash), ' ');
  auto after = split(std::string_view(line).substr(dash + 3), ' ');
  if (before.size() < 5 || after.size() < 3) return std::nullopt;
  return Mount{.root = before[3], .point = before[4], .type = after[0], .options = after[2]};
}

std::optional<CgroupMount> find_group(const std::vector<Mount>& mounts, std::string_view self, std::string_view controller) {
  auto path = own_path(self, controller);
  if (!path) return std::nullopt;
  for (const auto& mount : mounts) {
    bool fits = controller.empty() ? mount.type == "cgroup2" : mount.type == "cgroup" && has(mount.options, controller, ',');
    if (!fits) continue;
    // Inside a container the mount shows only the part of the hierarchy below its root.
    std::string_view below = *path;
    if (mount.root != "/" && below.starts_with(mount.root)) below.remove_prefix(mount.root.size());
    while (below.starts_with('/')) below.remove_prefix(1);
    auto folder = below.empty() ? fs::path(mount.point) : fs::path(mount.point) / below;
    return CgroupMount{.controller = std::string(controller), .folder = std::move(folder)};
  }
  return std::nullopt;
}

// Version 2 hands its controllers to children only where they are enabled level by level.
void enable_controllers(const fs::path& folder) {
  auto offered = read_file(folder / "cgroup.controllers");
  std::ranges::replace(offered, '\n', ' ');
  for (std::string_view controller : {"memory", "pids"}) {
    if (!has(offered, controller, ' ')) continue;
    auto status = write_file(folder / "cgroup.subtree_control", "+" + std::string(controller));
    if (!status) log::debug("run: {}", status.error().message);
  }
}

bool is_version_2(const fs::path& folder) { return fs::exists(folder / "cgroup.controllers"); }

// What it hands on to the groups in it.
bool limits_anything(const fs::path& folder) {
  auto handed_on = read_file(folder / "cgroup.subtree_control");
  return handed_on.contains("memory") || handed_on.contains("pids");
}

// A version 2 that limits nothing is of no use beside a version 1 that does, and entering it takes milliseconds.
void drop_idle_version_2(std::vector<fs::path>& roots) {
  if (roots.size() < 2 || !is_version_2(roots.front()) || limits_anything(roots.front())) return;
  Cgroups::remove_root(roots.front());
  roots.erase(roots.begin());
}

bool try_out(const fs::path& root) {
  auto probe = root / "probe";
  std::error_code error;
  fs::create_directories(probe, error);
  if (error) return false;
  fs::remove(probe, error);
  return true;
}

std::vector<pid_t> processes_in(const fs::path& folder) {
  std::vector<pid_t> pids;
  for (const auto& line : split(read_file(folder / "cgroup.procs"), '\n')) {
    pid_t pid = 0;
    std::from_chars(line.data(), line.data() + line.size(), pid);
    if (pid > 0) pids.push_back(pid);
  }
  return pids;
}

// The number after `key` in a file of lines "key number".
std::int64_t counter(const fs::path& file, std::string_view key) {
  for (const auto& line : split(read_file(file), '\n')) {
    if (!line.starts_with(std::string(key) + " ")) continue;
    std::int64_t value = 0;
    std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

}  // namespace

std::vector<CgroupMount> parse_cgroups(std::string_view mountinfo, std::string_view self) {
  std::vector<Mount> mounts;
  for (const auto& line : split(mountinfo, '\n'))
    if (auto mount = parse_mount(line)) mounts.push_back(std::move(*mount));
  std::vector<CgroupMount> found;
  for (std::string_view controller : {"", "memory", "pids"})
    if (auto group = find_group(mounts, self, controller)) found.push_back(std::move(*group));
  return found;
}

Cgroups Cgroups::detect(std::string_view server_id) {
  std::vector<fs::path> roots;
  for (const auto& group : parse_cgroups(read_file("/proc/self/mountinfo"), read_file("/proc/self/cgroup"))) {
    auto root = group.folder / kFolder / server_id;
    if (!try_out(root)) continue;
    if (group.controller.empty())
      for (const auto& level : {group.folder, root.parent_path(), root}) enable_controllers(level);
    roots.push_back(std::move(root));
  }
  drop_idle_version_2(roots);
  return Cgroups(std::move(roots));
}

void Cgroups::remove_root(const fs::path& root) {
  if (::rmdir(root.c_str()) == 0) ::rmdir(root.parent_path().c_str());
}

void Cgroups::remove_roots() const {
  for (const auto& root : roots_) remove_root(root);
}

void JobCgroup::kill() const {
  for (const auto& folder : folders_) {
    if (write_file(folder / "cgroup.kill", "1")) return;  // the same processes are in all of them
    for (auto pid : processes_in(folder)) ::kill(pid, SIGKILL);
  }
}

bool JobCgroup::remove() {
  std::erase_if(folders_, [](const fs::path& folder) { return ::rmdir(folder.c_str()) == 0 || errno == ENOENT; });
  return folders_.empty();
}

bool JobCgroup::out_of_memory() const {
  return std::ranges::any_of(folders_, [](const fs::path& folder) {
    return counter(folder / "memory.events", "oom_kill") + counter(folder / "memory.oom_control", "oom_kill") > 0;
  });
}

std::optional<std::int64_t> JobCgroup::peak_memory() const {
  for (const auto& folder : folders_)
    for (const char* name : {"memory.peak", "memory.max_usage_in_bytes"}) {
      auto text = read_file(folder / name);
      std::int64_t bytes = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), bytes).ec == std::errc{}) return bytes;
    }
  return std::nullopt;
}

void sweep_cgroups(const fs::path& root) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error))
    if (it->is_directory(error)) leftovers.push_back(it->path());
  for (const auto& folder : leftovers) {
    JobCgroup group({folder});
    for (int round = 0; round < 200 && !group.remove(); ++round) {
      group.kill();
      ::usleep(5'000);  // a dying process leaves its group when the kernel comes to it; version 1 tells nobody
    }
  }
}

}  // namespace lo::run
