// What /proc tells of processes, for finding and killing what a job or a dead server left. Reads take microseconds per process.
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

namespace lo::run {

std::vector<pid_t> children_of(pid_t parent);

// The process and all its descendants that are still linked to it by parenthood.
std::vector<pid_t> tree_of(pid_t root);

// SIGKILL to tree_of(root), repeated while new ones turn up (bounded).
void kill_tree(pid_t root);

// Processes whose environment at exec held `entry` ("NAME=value"), forked children of those included.
std::vector<pid_t> processes_with_environment(std::string_view entry);

}  // namespace lo::run
