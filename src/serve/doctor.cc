#include "serve/doctor.h"

#include <unistd.h>

#include <cmath>
#include <fmt/format.h>

#include "catalog/postgres/health.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/sqlite/health.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "serve/catalog_place.h"
#include "serve/disk_gauge.h"
#include "serve/store_place.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

constexpr double kDiskWarning = 90, kDiskFull = 95;  // percent; from the second on a server takes in no steps
constexpr double kClockApart = 2;                    // seconds
constexpr std::int64_t kFarBehind = 64 << 20;        // bytes of PostgreSQL's log

Finding disk(std::string part, const fs::path& folder) {
  auto space = read_disk_space(folder);
  if (!space) return {.level = Level::broken, .part = std::move(part), .says = space.error().message};
  auto taken = space->total > 0 ? 100.0 * static_cast<double>(space->total - space->free) / static_cast<double>(space->total) : 0;
  Finding finding{.part = std::move(part), .says = fmt::format("{:.0f} % of the disk of {} is taken, {} MB are free", taken, folder.string(), space->free / 1'000'000)};
  if (taken >= kDiskWarning) {
    finding.level = taken >= kDiskFull ? Level::broken : Level::warning;
    finding.todo = fmt::format("delete steps, or let `orchestra gc` remove old revisions: from {:.0f} % on no step is taken in", kDiskFull);
  }
  return finding;
}

Finding server(const fs::path& data) {
  auto pid = first_line(data / "orchestra.lock");
  auto url = first_line(data / "server.url");
  bool is_number = !pid.empty() && pid.find_first_not_of("0123456789") == std::string::npos;
  bool runs = is_number && !url.empty() && first_line(fs::path("/proc") / pid / "comm") == "orchestra";
  return {.part = "server", .says = runs ? fmt::format("process {} answers at {}", pid, url) : "none has this data folder now"};
}

Finding folder(const fs::path& data) {
  std::error_code error;
  if (!fs::is_directory(data, error))
    return {.level = Level::broken, .part = "data folder", .says = fmt::format("there is no {}", data.string()), .todo = "name the server's with --data"};
  if (::access(data.c_str(), W_OK) != 0)
    return {.level = Level::broken, .part = "data folder", .says = fmt::format("{} cannot be written to", data.string()), .todo = "let the user of the server own it"};
  return disk("data folder", data);
}

// --- The catalog ---

std::vector<Finding> file_catalog(const fs::path& data) {
  auto health = catalog::sqlite_health(catalog_file(data));
  if (!health && health.error().code == Code::not_found) return {{.part = "catalog", .says = "there is none yet: a server makes it"}};
  if (!health) return {{.level = Level::broken, .part = "catalog", .says = health.error().message, .todo = "restore a backup"}};
  auto says = fmt::format("{}: SQLite, schema {}, {:.1f} MB", catalog_file(data).string(), health->schema_version, static_cast<double>(health->bytes) / 1e6);
  if (!health->damage.empty())
    return {{.level = Level::broken, .part = "catalog", .says = fmt::format("{}: damaged: {}", says, health->damage), .todo = "stop the server and restore a backup"}};
  if (health->schema_version > catalog::kSchemaVersion)
    return {{.level = Level::broken, .part = "catalog", .says = says, .todo = fmt::format("use the newer program: this one knows schemas up to {}", catalog::kSchemaVersion)}};
  return {{.part = "catalog", .says = says}};
}

Finding clocks(const catalog::PostgresHealth& health) {
  auto apart = std::abs(health.clock_ahead);
  Finding finding{.part = "clocks", .says = fmt::format("that of the PostgreSQL is {:.3f} s {} of this machine's", apart, health.clock_ahead < 0 ? "behind" : "ahead")};
  if (apart >= kClockApart) {
    finding.level = Level::warning;
    finding.todo = "let both follow a time server: schedules and times of events are this machine's";
  }
  return finding;
}

Finding standby(const catalog::Standby& each) {
  if (each.state.empty())
    return {.level = Level::warning, .part = "standby", .says = fmt::format("{}: this user may not see how it is doing", each.name), .todo = "GRANT pg_monitor to the user"};
  auto bytes = each.behind_bytes.value_or(0);
  Finding finding{.part = "standby", .says = fmt::format("{}: {}, {}, {} kB behind", each.name, each.state, each.synchronous ? "commits wait for it" : "commits do not wait for it", bytes / 1000)};
  if (each.behind_seconds) finding.says += fmt::format(", {:.1f} s", *each.behind_seconds);
  if (each.state != "streaming" || bytes > kFarBehind) {
    finding.level = Level::warning;
    finding.todo = "it is not ready to take over: see its log, its disk and the network to it";
  }
  return finding;
}

std::vector<Finding> standbys(const catalog::PostgresHealth& health) {
  std::vector<Finding> findings;
  bool waits = false;
  for (const auto& each : health.standbys) {
    findings.push_back(standby(each));
    waits = waits || each.synchronous || each.state.empty();
  }
  if (health.wants_standby && !waits)
    findings.push_back({.level = Level::broken, .part = "standby", .says = "commits wait for a synchronous standby, and none is connected",
                        .todo = "start the standby, or take it out of synchronous_standby_names: until then no change is taken in"});
  if (!health.wants_standby && health.standbys.empty())
    findings.push_back({.level = Level::warning, .part = "standby", .says = "there is none: what the catalog holds is on one machine", .todo = "see docs/storage.md"});
  return findings;
}

std::string holder(const catalog::PostgresHealth& health) {
  if (!health.made) return "no catalog in it yet";
  if (!health.held) return "held by nobody";
  return health.leader.empty() ? "held by a server" : fmt::format("led by the server at {}", health.leader);
}

Finding postgres(const catalog::PostgresHealth& health, const std::string& noted) {
  Finding finding{.part = "catalog", .says = fmt::format("PostgreSQL {}, {}", health.version, holder(health))};
  if (health.made) finding.says += fmt::format(", schema {}", health.schema_version);
  auto is_broken = [&](std::string todo) {
    finding.level = Level::broken;
    finding.todo = std::move(todo);
    return finding;
  };
  if (!health.writable) return is_broken("it takes no writes: name all hosts in the URL, with target_session_attrs=read-write, or promote the standby");
  if (health.schema_version > catalog::kPostgresSchemaVersion) return is_broken(fmt::format("use the newer program: this one knows schemas up to {}", catalog::kPostgresSchemaVersion));
  if (!noted.empty() && health.made && noted != health.id) return is_broken("it is another catalog than the data folder's: name the one that the folder was used with");
  return finding;
}

std::vector<Finding> catalog(const DoctorOptions& options) {
  auto noted = noted_catalog(options.data);
  if (options.catalog.empty() && !noted.empty())
    return {{.level = Level::broken, .part = "catalog", .says = "the data folder's catalog is in a PostgreSQL", .todo = "name it with --catalog"}};
  if (options.catalog.empty()) return file_catalog(options.data);
  auto health = catalog::postgres_health(options.catalog);
  if (!health) return {{.level = Level::broken, .part = "catalog", .says = health.error().message, .todo = "see that it runs and can be reached from here"}};
  std::vector<Finding> findings{postgres(*health, noted)};
  std::ranges::move(standbys(*health), std::back_inserter(findings));
  findings.push_back(clocks(*health));
  return findings;
}

// --- Results ---

Finding bucket(const std::string& url) {
  auto bucket = store::open_s3_bucket(url);
  auto asked = bucket ? (*bucket)->size_of("catalog") : std::unexpected(bucket.error());
  if (asked) return {.part = "store", .says = fmt::format("{} answers", url)};
  return {.level = Level::broken, .part = "store", .says = asked.error().message, .todo = "see that it is there, and that the credentials of this environment are those of the server"};
}

Finding store(const DoctorOptions& options) {
  auto noted = options.store.empty() ? store_of(options.data).string() : options.store;
  if (is_bucket(noted)) return bucket(noted);
  auto place = options.store.empty() ? store_of(options.data) : store_place(options.store);
  std::error_code error;
  if (!fs::is_directory(place, error)) {
    bool is_new = options.store.empty() && place == options.data / "store";
    if (is_new) return {.part = "store", .says = "there is none yet: a server makes it"};
    return {.level = Level::broken, .part = "store", .says = fmt::format("there is no folder {}", place.string()), .todo = "see that it is mounted"};
  }
  if (::access(place.c_str(), W_OK) != 0) return {.level = Level::broken, .part = "store", .says = fmt::format("{} cannot be written to", place.string()), .todo = "let the user of the server own it"};
  return disk("store", place);
}

}  // namespace

std::vector<Finding> examine(const DoctorOptions& options) {
  std::vector<Finding> findings{folder(options.data)};
  if (findings.front().level == Level::broken && !fs::exists(options.data)) return findings;
  findings.push_back(server(options.data));
  std::ranges::move(catalog(options), std::back_inserter(findings));
  findings.push_back(store(options));
  return findings;
}

}  // namespace lo::serve
