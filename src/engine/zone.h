// Time zones: what a wall clock shows at an instant. From the machine's own files in /usr/share/zoneinfo; reads only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "engine/zone_rule.h"

namespace date {
class time_zone;
}

namespace lo::engine {

// Any thread: a Zone does not change, and the library below loads its names and each zone once, behind locks of its own.
class Zone {
 public:
  // By its name in the IANA database: "Europe/Berlin". "UTC" needs no database. Code::unacceptable naming `pointer`, the name
  // and the nearest one for a name that is not there; Code::unavailable where the machine has no database.
  static Result<std::shared_ptr<const Zone>> find(std::string_view name, std::string_view pointer);

  // The span around `time`. Years 1 to 9999.
  ZoneSpan at(std::chrono::sys_seconds time) const;

 private:
  const date::time_zone* table_ = nullptr;  // lives as long as the process; none means UTC
  std::optional<ZoneRule> rule_;            // goes on where the table ends
};

}  // namespace lo::engine
