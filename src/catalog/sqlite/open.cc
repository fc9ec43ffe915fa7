#include "catalog/sqlite/open.h"

#include <fmt/format.h>

#include "catalog/sqlite/schema.h"

namespace lo::catalog::sqlite {
namespace {

// FULL: fsync of the log at each commit. The log is cut back after a large transaction.
Status enter_wal(Connection& connection) {
  LO_ASSIGN(auto mode, connection.query("PRAGMA journal_mode = WAL"));
  LO_TRY(mode.step());
  if (auto name = mode.text(); name != "wal")
    return fail(Code::unavailable, fmt::format("its file system cannot keep a write-ahead log (journal mode {})", name));
  return connection.execute("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216");
}

}  // namespace

Status set_up(Connection& connection) {
  return connection.execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -4000");
}

Result<Connection> open_writer(const std::filesystem::path& file) {
  LO_ASSIGN(auto connection, Connection::open(file, Connection::Access::read_write));
  LO_TRY(set_up(connection));
  LO_TRY(migrate(connection, migrations(), file));
  LO_TRY(enter_wal(connection));
  return connection;
}

}  // namespace lo::catalog::sqlite
