// What the environment and a file of whoever runs the server say of databases and of credentials. Read once, at the start.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "run/remote_files.h"

namespace lo::serve {

// The server's own environment, "NAME=value" each. Before other threads may change it.
std::vector<std::string> all_variables();

run::Variables variables_in(const std::vector<std::string>& environment);

// The databases that dataset/sql may ask: names and URLs, of `file` (YAML or JSON, one object of texts; "" = none) and of variables
// ORCHESTRA_CONNECTION_<NAME>, whose name counts in small letters and wins. A URL is postgresql://… or sqlite:////WHOLE/PATH. Errors name the file and the
// connection, never a URL.
Result<std::map<std::string, std::string>> read_connections(const std::filesystem::path& file, const std::vector<std::string>& environment);

}  // namespace lo::serve
