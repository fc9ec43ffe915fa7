// What results depend on outside the catalog: for the engine's cache keys.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"
#include "dataset/download.h"

namespace lo::serve {

// What runs the steps' code: this version and the locked packages of the built-in environments below `home`. Blocks.
std::string installed_code(const std::filesystem::path& home);

// The validators of all URLs among a request's members; nothing when one of them has none. Blocks, at most 20 s for each.
std::optional<std::string> validators_in(const json::object& request, const dataset::UrlPolicy& urls);

}  // namespace lo::serve
