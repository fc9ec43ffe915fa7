// How the embedded catalog is doing: for people who keep it running. Changes nothing; a server may have it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace lo::catalog {

struct SqliteHealth {
  std::int64_t schema_version = 0;
  std::int64_t bytes = 0;   // of the file and of its log
  std::string damage = {};  // what SQLite finds wrong with the file, on one line; "" when it is sound
};

// Reads the whole file: some seconds for a gigabyte. Code::not_found when there is none, Code::corrupt when it is no database.
Result<SqliteHealth> sqlite_health(const std::filesystem::path& file);

}  // namespace lo::catalog
