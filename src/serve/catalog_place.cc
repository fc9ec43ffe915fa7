#include "serve/catalog_place.h"

#include <fmt/format.h>

#include <fstream>

#include "base/data_folder.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/sqlite/sqlite_catalog.h"
#include "serve/backup_files.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;

fs::path note_of(const fs::path& data) { return data / "catalog.postgresql"; }  // holds the id of the catalog

Status check_no_file(const fs::path& data) {
  std::error_code error;
  if (!fs::exists(catalog_file(data), error)) return {};
  return fail(Code::conflict, fmt::format("{0} has a catalog of its own, {1}: start without --catalog, take another folder, or bring it into the PostgreSQL first, with "
                                          "orchestra catalog copy {0} URL", data.string(), catalog_file(data).filename().string()));
}

// The catalog at `url` has been opened: it must be the folder's.
Status take_postgres(const fs::path& data, const std::string& url) {
  LO_ASSIGN(auto id, catalog::postgres_catalog_id(url));
  auto noted = noted_catalog(data);
  if (!noted.empty() && noted != id)
    return fail(Code::conflict, fmt::format("{} belongs to another catalog than that of --catalog: give the one that it was used with", data.string()));
  return noted.empty() ? note_catalog(data, id) : Status{};
}

Result<std::unique_ptr<catalog::Catalog>> open_postgres(const fs::path& data, const std::string& url) {
  LO_TRY(check_no_file(data));
  LO_ASSIGN(auto catalog, catalog::open_postgres_catalog(url));
  LO_TRY(take_postgres(data, url));
  return catalog;
}

}  // namespace

fs::path catalog_file(const fs::path& data) { return data / "catalog.sqlite"; }

std::string first_line(const fs::path& note) {
  std::ifstream file(note);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string noted_catalog(const fs::path& data) { return first_line(note_of(data)); }

Status note_catalog(const fs::path& data, const std::string& id) {
  std::error_code error;
  if (id.empty()) fs::remove(note_of(data), error);
  if (error) return fail_errno(fmt::format("{} cannot be removed", note_of(data).string()), error.value());
  if (!id.empty()) LO_TRY(write_whole_file(note_of(data), id + "\n"));
  return sync_disk_of(data);
}

Result<std::unique_ptr<catalog::Catalog>> open_catalog(const fs::path& data, const std::string& url) {
  if (!url.empty()) return open_postgres(data, url);
  if (!noted_catalog(data).empty())
    return fail(Code::conflict, fmt::format("the catalog of {} is in a PostgreSQL: give its URL with --catalog", data.string()));
  return catalog::open_sqlite_catalog(catalog_file(data));
}

Result<std::unique_ptr<catalog::SharedCatalog>> share_catalog(const fs::path& data, const std::string& url, const std::string& address) {
  LO_TRY(check_no_file(data));
  LO_ASSIGN(auto catalog, catalog::share_postgres_catalog(url, address));
  LO_TRY(take_postgres(data, url));
  return catalog;
}

Status check_catalog_is_here(const fs::path& data) {
  if (noted_catalog(data).empty()) return {};
  return fail(Code::unacceptable, fmt::format("the catalog of {} is in a PostgreSQL, which this command cannot copy: back that up with pg_dump first, then copy the "
                                              "folder", data.string()));
}

}  // namespace lo::serve
