// `orchestra doctor`: says of every part whether it works, and what to do where it does not.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lo::serve {

struct DoctorOptions {
  std::filesystem::path data;
  std::string catalog;  // as serve's --catalog; "" = the file in the data folder
  std::string store;    // as serve's --store
};

struct Finding {
  enum class Level { ok, warning, broken };
  Level level = Level::ok;
  std::string part;       // "catalog"
  std::string says;       // one line
  std::string todo = {};  // what to do about it; "" when nothing
};

// Changes nothing; a server may run meanwhile. Blocks: connects to databases, reads the whole of a SQLite catalog.
std::vector<Finding> examine(const DoctorOptions& options);

}  // namespace lo::serve
