// How a PostgreSQL that a catalog is in is doing: for people who keep it running. Changes nothing, and needs no server of ours to be stopped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace lo::catalog {

struct Standby {
  std::string name;                          // as it gave it (application_name), or its address
  std::string state;                         // "streaming", "catchup", …; "" where the user may not see it
  bool synchronous = false;                  // commits wait for it
  std::optional<std::int64_t> behind_bytes = {};  // of the log, not yet replayed there
  std::optional<double> behind_seconds = {};      // for how long what is replayed there now had been written here
};

struct PostgresHealth {
  std::string version;            // "15.18"
  bool writable = false;          // it is no standby, and not set to read only
  bool made = false;              // it has the catalog's tables
  std::int64_t schema_version = 0;
  std::string id;                 // see postgres_catalog_id()
  bool held = false;              // a server has the catalog now
  std::string leader = {};        // the address of the one that leads, where it is one of several
  bool wants_standby = false;     // commits wait for a synchronous standby (synchronous_standby_names)
  std::vector<Standby> standbys;  // those that are connected
  double clock_ahead = 0;         // seconds by which its clock is ahead of this machine's, within the time that asking takes
};

// Blocks, a few seconds at most. Code::unavailable and Code::unacceptable as open_postgres_catalog(), naming no password.
Result<PostgresHealth> postgres_health(const std::string& url);

}  // namespace lo::catalog
