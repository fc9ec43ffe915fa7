// The Ray cluster that steps run on, if --runner names one.
#pragma once

#include <optional>

#include "run/ray_cluster.h"
#include "serve/options.h"

namespace lo::serve {

// What it has; nothing where steps run on this machine, or the cluster does not answer, which is logged: it may do so later. An error, one line that names
// --runner, where somebody has to change something first. Blocks; before any process is started.
Result<std::optional<run::RayCluster>> find_ray(const Options& options);

}  // namespace lo::serve
