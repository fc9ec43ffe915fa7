// Asks a Spark whether builder steps can use it.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "run/runner.h"

namespace lo::run {

struct SparkCheck {
  PythonOptions python;
  SparkOptions spark;
  bool thorough = false;        // runs something on it, for which a server of our own is started: some ten seconds
  std::filesystem::path store;  // thorough: whether the executors see this folder, where it holds anything; "" = not asked
  std::chrono::milliseconds patience = std::chrono::seconds{30};
};

struct SparkAnswer {
  std::string says;     // what answers, in a few words: "Spark 4.3.0"
  std::string warning;  // why not everything could be asked; "" = it was
};

// Code::unavailable, Code::unacceptable with one line that names the setting. Blocks, and waits for a child
// of its own: only while no ChildReaper runs in this process.
Result<SparkAnswer> check_spark(const SparkCheck& check);

}  // namespace lo::run
