// Starts a process with exactly what it is given: arguments, environment, descriptors.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace lo::run {

struct SpawnRequest {
  std::vector<std::string> argv;         // argv[0] is the path of the program
  std::vector<std::string> environment;  // "NAME=value", all of it
  std::filesystem::path folder;          // the process's current folder
  std::filesystem::path log;             // its standard output and error are appended here; standard input is /dev/null
  std::vector<std::pair<int, int>> descriptors = {};  // ours → its own number (3, 4, … without gaps)
};

// posix_spawn in a session of its own, with all signals at their defaults. Gives its process id.
Result<pid_t> spawn(const SpawnRequest& request);

}  // namespace lo::run
