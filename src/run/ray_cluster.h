// What a Ray cluster has, and what is wrong with it, before a server uses it: asked of a short-lived process of the environment ray.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "run/runner.h"

namespace lo::run {

struct RayCluster {
  std::string version;
  int nodes = 0;  // that are alive
  double cpus = 0;
  int gpus = 0;
  std::int64_t memory = 0;  // bytes
};

// "" when `text` is "local" or "ray:HOST:PORT", else what is wrong with it.
std::string is_runner(const std::string& text);

// The address in "ray:HOST:PORT"; "" for "local".
std::string ray_address(const std::string& runner);

// Code::unavailable when the cluster does not answer (it may later), Code::unacceptable when it will not do: no token, a wrong one, a cluster that lets
// everybody in, other versions, this machine is no node of it. One line each. `runtime` is PythonOptions::runtime. Blocks, for 60 s at most; only while
// the process has no ChildReaper.
Result<RayCluster> look_at_ray(const RayOptions& ray, const std::filesystem::path& runtime);

}  // namespace lo::run
