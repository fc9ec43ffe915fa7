// Control groups for jobs: limits that a whole process tree shares, and a way to find and kill all of it. Version 2 where its
// controllers are ours to use, else the memory and pids controllers of version 1, else none. Blocks for microseconds (kernel files).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lo::run {

// A hierarchy that this process belongs to.
struct CgroupMount {
  std::string controller;        // "memory", "pids"; "" = version 2
  std::filesystem::path folder;  // of this process's own group
  bool operator==(const CgroupMount&) const = default;
};

// From the texts of /proc/self/mountinfo and /proc/self/cgroup (proc(5), cgroups(7)): version 2 first.
std::vector<CgroupMount> parse_cgroups(std::string_view mountinfo, std::string_view self);

// The groups of one job, one per hierarchy. Its keeper makes, limits and removes them; this is for when it cannot any more.
class JobCgroup {
 public:
  JobCgroup() = default;
  explicit JobCgroup(std::vector<std::filesystem::path> folders) : folders_(std::move(folders)) {}

  const std::vector<std::filesystem::path>& folders() const { return folders_; }
  void kill() const;           // SIGKILL to every process in it
  bool remove();               // false while processes are in it: kill and call again
  bool out_of_memory() const;  // the kernel killed one of its processes for memory
  std::optional<std::int64_t> peak_memory() const;

 private:
  std::vector<std::filesystem::path> folders_;
};

// Where keepers make their groups: <own group>/learning-orchestra/<server id> of each hierarchy.
class Cgroups {
 public:
  Cgroups() = default;  // none

  // Tries out which of the hierarchies let us make groups with limits.
  static Cgroups detect(std::string_view server_id);

  const std::vector<std::filesystem::path>& roots() const { return roots_; }
  void remove_roots() const;                                                  // if empty
  static void remove_root(const std::filesystem::path& root);                 // if empty

 private:
  explicit Cgroups(std::vector<std::filesystem::path> roots) : roots_(std::move(roots)) {}

  std::vector<std::filesystem::path> roots_;
};

// Kills what runs in the groups below `root` and removes them: what a dead server left.
void sweep_cgroups(const std::filesystem::path& root);

}  // namespace lo::run
