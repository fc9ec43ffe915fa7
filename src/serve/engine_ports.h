// What the engine is connected to.
#pragma once

#include <filesystem>

#include "api/context.h"

namespace lo::serve {

// `context` is filled but for the conductor, and outlives what is made with these. `home` is the folder that holds environments/. Blocks.
engine::ConductorPorts engine_ports(asio::any_io_executor executor, const api::Context& context, const std::filesystem::path& home);

}  // namespace lo::serve
