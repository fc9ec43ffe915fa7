// Sessions on a Spark server that outlives this one. A note on disk says of each, before a step may use it, where it is; so that the next server
// with the same data can end what a killed one left running there. Everything here blocks on the disk: call it on the pool.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "run/spark_place.h"

namespace lo::run {

Status note_session(const std::filesystem::path& data, const SparkPlace& place, const std::string& session);

// It is released.
void forget_session(const std::filesystem::path& data, const std::string& session);

// Those that were noted at this place and not forgotten. Notes of other places go: nobody here could reach them any more.
std::vector<std::string> noted_sessions(const std::filesystem::path& data, const SparkPlace& place);

}  // namespace lo::run
