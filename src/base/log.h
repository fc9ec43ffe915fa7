// The server's own log: one line per event on stderr, "2026-01-31T10:20:30.123Z info engine: text". spdlog behind it.
#pragma once

#include <spdlog/spdlog.h>

namespace lo {

// Sets pattern and level ("debug", "info", "warn", "error") of the process's log. Once, at start, from main.
void init_log(const char* level);

namespace log = spdlog;

}  // namespace lo
