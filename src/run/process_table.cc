#include "run/process_table.h"

#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

namespace lo::run {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<pid_t> to_pid(std::string_view text) {
  pid_t pid = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return pid;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error))
    if (auto pid = to_pid(it->path().filename().string())) pids.push_back(*pid);
  return pids;
}

struct Stat {
  char state = '?';
  pid_t parent = 0;
};

// "pid (name) state ppid …"; the name may hold parentheses and blanks, so the last ')' counts. proc(5).
std::optional<Stat> stat_of(pid_t pid) {
  auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  auto name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 4 >= text.size()) return std::nullopt;
  auto parent = std::string_view(text).substr(name_end + 4);
  auto parent_pid = to_pid(parent.substr(0, parent.find(' ')));
  if (!parent_pid) return std::nullopt;
  return Stat{.state = text[name_end + 2], .parent = *parent_pid};
}

std::multimap<pid_t, pid_t> living_children() {
  std::multimap<pid_t, pid_t> by_parent;
  for (auto pid : all_processes())
    if (auto stat = stat_of(pid); stat && stat->state != 'Z' && stat->state != 'X') by_parent.emplace(stat->parent, pid);
  return by_parent;
}

std::vector<pid_t> descend(const std::multimap<pid_t, pid_t>& by_parent, pid_t root) {
  std::vector<pid_t> tree{root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    auto [begin, end] = by_parent.equal_range(tree[i]);
    for (auto it = begin; it != end; ++it) tree.push_back(it->second);
  }
  return tree;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  auto by_parent = living_children();
  std::vector<pid_t> children;
  auto [begin, end] = by_parent.equal_range(parent);
  for (auto it = begin; it != end; ++it) children.push_back(it->second);
  return children;
}

std::vector<pid_t> tree_of(pid_t root) { return descend(living_children(), root); }

// Stopping all of a tree before killing any of it leaves no one who could fork on.
void kill_tree(pid_t root) {
  std::vector<pid_t> tree{root};
  ::kill(root, SIGSTOP);
  for (int round = 0; round < 10; ++round) {
    auto found = tree_of(root);
    if (found.size() <= tree.size()) break;
    tree = std::move(found);
    for (auto pid : tree) ::kill(pid, SIGSTOP);
  }
  for (auto pid : tree) ::kill(pid, SIGKILL);
}

std::vector<pid_t> processes_with_environment(std::string_view entry) {
  std::vector<pid_t> found;
  for (auto pid : all_processes()) {
    if (pid == ::getpid()) continue;
    auto environment = '\0' + read_file("/proc/" + std::to_string(pid) + "/environ");
    auto wanted = '\0' + std::string(entry) + '\0';
    if (environment.find(wanted) != std::string::npos) found.push_back(pid);
  }
  return found;
}

}  // namespace lo::run
