#include "serve/ray_place.h"

#include <fmt/format.h>

#include "base/log.h"
#include "serve/part_options.h"

namespace lo::serve {

Result<std::optional<run::RayCluster>> find_ray(const Options& options) {
  auto ray = ray_options_of(options.runner, options.ray_python, options.home);
  if (ray.address.empty()) return std::nullopt;
  auto cluster = run::look_at_ray(ray, options.home / "runtime" / "python");
  if (!cluster && cluster.error().code != Code::unavailable) return fail(cluster.error().code, fmt::format("--runner {}: {}", options.runner, cluster.error().message));
  if (!cluster) {
    log::warn("--runner {}: {}; steps wait for it", options.runner, cluster.error().message);
    return std::nullopt;
  }
  log::info("Ray {} at {}: {} nodes with {:g} CPUs and {} GPUs", cluster->version, ray.address, cluster->nodes, cluster->cpus, cluster->gpus);
  return *cluster;
}

}  // namespace lo::serve
