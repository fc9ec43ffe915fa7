#include "catalog/sqlite/copy.h"

#include "catalog/sqlite/open.h"
#include "catalog/sqlite/reader.h"
#include "catalog/sqlite/writer.h"

namespace lo::catalog {

Result<std::int64_t> give_sqlite_contents(const std::filesystem::path& file, const TakePart& take) {
  LO_ASSIGN(auto connection, sqlite::open_writer(file));
  LO_ASSIGN(auto boots, connection.number("SELECT value FROM counter WHERE name = 'boots'"));
  sqlite::Reader reader(std::move(connection));
  LO_TRY(contents::give_all(reader, take));
  return boots;
}

Status make_sqlite_catalog(const std::filesystem::path& file, const GiveContents& give) {
  LO_ASSIGN(auto connection, sqlite::open_writer(file));
  LO_ASSIGN(auto transaction, sqlite::Transaction::begin(connection));
  sqlite::Writer writer(connection);
  std::vector<Event> told;
  LO_ASSIGN(auto boots, give([&](const Part& part) -> Status {
              writer.number_on_from(part.last_event);
              told.clear();
              return writer.apply(part.changes, told);
            }));
  LO_TRY(connection.run("UPDATE counter SET value = max(value, ?1) WHERE name = 'boots'", boots));
  return transaction.commit();
}

}  // namespace lo::catalog
