#include "catalog/sqlite/health.h"

#include <fmt/format.h>

#include "catalog/sqlite/open.h"

namespace lo::catalog {

Result<SqliteHealth> sqlite_health(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return fail(Code::not_found, fmt::format("there is no catalog {}", file.string()));
  LO_ASSIGN(auto connection, sqlite::Connection::open(file, sqlite::Connection::Access::read_only));
  LO_TRY(sqlite::set_up(connection));
  SqliteHealth health;
  LO_ASSIGN(health.schema_version, connection.number("PRAGMA user_version"));
  for (auto path : {file.string(), file.string() + "-wal"})
    if (auto bytes = std::filesystem::file_size(path, error); !error) health.bytes += static_cast<std::int64_t>(bytes);
  LO_ASSIGN(auto found, connection.query("PRAGMA quick_check(1)"));
  LO_ASSIGN(auto some, found.step());
  auto text = some ? found.text() : "";
  if (text != "ok") health.damage = text.substr(0, text.find('\n'));
  return health;
}

}  // namespace lo::catalog
