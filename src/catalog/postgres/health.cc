#include "catalog/postgres/health.h"

#include <chrono>

#include "catalog/postgres/connection.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/session.h"

namespace lo::catalog {
namespace {

using postgres::Connection;

constexpr const char* kServer =
    "SELECT current_setting('server_version'), (pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on')::int::bigint, "
    "(current_setting('synchronous_standby_names') <> '')::int::bigint";

// Of a user without the role pg_monitor all but the names are null.
constexpr const char* kStandbys =
    "SELECT coalesce(nullif(application_name, ''), host(client_addr), 'standby'), coalesce(state, ''), "
    "(coalesce(sync_state, '') IN ('sync', 'quorum'))::int::bigint, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint, "
    "(extract(epoch FROM replay_lag) * 1000000)::bigint FROM pg_stat_replication ORDER BY 1";

Status read_server(Connection& connection, PostgresHealth& health) {
  LO_ASSIGN(auto row, connection.query(kServer));
  if (!row.step()) return fail(Code::io, "the PostgreSQL of the catalog (--catalog) gave no answer");
  auto version = row.text();
  health.version = version.substr(0, version.find(' '));
  health.writable = row.integer() == 0;
  health.wants_standby = row.integer() != 0;
  return {};
}

Status read_catalog(Connection& connection, PostgresHealth& health) {
  LO_ASSIGN(auto made, connection.number("SELECT count(to_regclass('catalog_schema'))"));
  health.made = made != 0;
  if (!health.made) return {};
  LO_ASSIGN(auto row, connection.query("SELECT version, id FROM catalog_schema"));
  if (row.step()) {
    health.schema_version = row.integer();
    health.id = row.text();
  }
  LO_ASSIGN(health.held, postgres::is_held(connection));
  if (health.schema_version != kPostgresSchemaVersion) return {};
  LO_ASSIGN(auto epoch, postgres::read_epoch(connection));
  if (health.held) health.leader = epoch.address;
  return {};
}

Status read_standbys(Connection& connection, PostgresHealth& health) {
  if (!health.writable) return {};
  LO_ASSIGN(auto rows, connection.query(kStandbys));
  while (rows.step()) {
    Standby standby{.name = rows.text(), .state = rows.text(), .synchronous = rows.integer() != 0};
    standby.behind_bytes = rows.optional_integer();
    if (auto micros = rows.optional_integer()) standby.behind_seconds = static_cast<double>(*micros) / 1e6;
    health.standbys.push_back(std::move(standby));
  }
  return {};
}

// Half of the time that the question takes is its way there.
Status read_clock(Connection& connection, PostgresHealth& health) {
  using std::chrono::system_clock;
  auto asked = system_clock::now();
  LO_ASSIGN(auto theirs, connection.number("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"));
  auto answered = system_clock::now();
  auto between = asked.time_since_epoch() + (answered - asked) / 2;
  health.clock_ahead = static_cast<double>(theirs) / 1e6 - std::chrono::duration<double>(between).count();
  return {};
}

}  // namespace

Result<PostgresHealth> postgres_health(const std::string& url) {
  LO_ASSIGN(auto connection, Connection::open(url));
  PostgresHealth health;
  LO_TRY(read_server(connection, health));
  LO_TRY(read_catalog(connection, health));
  LO_TRY(read_standbys(connection, health));
  LO_TRY(read_clock(connection, health));
  return health;
}

}  // namespace lo::catalog
