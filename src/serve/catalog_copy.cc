#include "serve/catalog_copy.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/data_folder.h"
#include "base/fault.h"
#include "catalog/postgres/copy.h"
#include "catalog/postgres/postgres_catalog.h"
#include "catalog/postgres/url.h"
#include "catalog/sqlite/copy.h"
#include "serve/backup_files.h"
#include "serve/catalog_place.h"
#include "serve/store_place.h"

namespace lo::serve {
namespace {

namespace fs = std::filesystem;
using catalog::GiveContents;
using catalog::Part;
using catalog::TakePart;

Status move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return fail_errno(fmt::format("{} cannot be renamed to {}", from.string(), to.filename().string()), error.value());
  return sync_disk_of(to.parent_path());
}

// Counts what goes by.
GiveContents counted(CatalogCopied& copied, auto give) {
  return [&copied, give](const TakePart& take) {
    return give([&](Part part) {
      for (const auto& change : part.changes) {
        copied.steps += std::holds_alternative<catalog::AddStep>(change) ? 1 : 0;
        copied.events += std::holds_alternative<catalog::AddEvent>(change) ? 1 : 0;
      }
      return take(std::move(part));
    });
  };
}

bool has_file(const fs::path& data) {
  std::error_code error;
  return fs::exists(catalog_file(data), error);
}

Status fill(const fs::path& data, const std::string& url, CatalogCopied& copied) {
  LO_TRY(fault_point("catalog.copy.begun"));
  auto give = [&](const TakePart& take) { return catalog::give_sqlite_contents(catalog_file(data), take); };
  return catalog::fill_postgres_catalog(url, counted(copied, give));
}

// The folder is noted as the PostgreSQL's before there is anything in that: from then on no server has the folder until the copy is whole.
Status fill_noted(const fs::path& data, const std::string& url, const std::string& id, CatalogCopied& copied) {
  auto before = noted_catalog(data);
  LO_TRY(note_catalog(data, id));
  auto filled = fill(data, url, copied);
  if (!filled) LO_TRY(note_catalog(data, before));
  return filled;
}

Result<CatalogCopied> to_postgres(const fs::path& data, const std::string& url) {
  CatalogCopied copied{.left = catalog_file(data).string() + ".copied"};
  if (!has_file(data) && !noted_catalog(data).empty())
    return fail(Code::conflict, fmt::format("the catalog of {} is in a PostgreSQL already", data.string()));
  LO_ASSIGN(auto empty, catalog::is_empty_postgres_catalog(url));
  LO_ASSIGN(auto id, catalog::postgres_catalog_id(url));
  bool is_filled = !empty && noted_catalog(data) == id;  // by a copy that was killed at its end
  if (!is_filled) LO_TRY(fill_noted(data, url, id, copied));
  LO_TRY(fault_point("catalog.copy.filled"));
  LO_TRY(hand_over_store(data, id));
  LO_TRY(move_file(catalog_file(data), copied.left));
  return copied;
}

std::unexpected<Error> refuse_foreign(const fs::path& data) {
  return fail(Code::conflict, fmt::format("{} is not the data folder that was used with the catalog in this PostgreSQL", data.string()));
}

// The results lie in the folder: without them the catalog would be of no use.
Status check_belongs(const fs::path& data, const std::string& url) {
  LO_ASSIGN(auto id, catalog::postgres_catalog_id(url));
  if (noted_catalog(data) == id) return {};
  if (has_file(data)) return fail(Code::conflict, fmt::format("{} has a catalog already: {}", data.string(), catalog_file(data).string()));
  return refuse_foreign(data);
}

// The file gets its name when it is whole.
Status make_file(const std::string& url, const fs::path& data, CatalogCopied& copied) {
  fs::path part = catalog_file(data).string() + ".copy";
  std::error_code ignored;
  for (auto suffix : {"", "-wal", "-shm"}) fs::remove(part.string() + suffix, ignored);  // of a copy that was killed
  auto give = [&](const TakePart& take) { return catalog::give_postgres_contents(url, take); };
  LO_TRY(catalog::make_sqlite_catalog(part, counted(copied, give)));
  LO_TRY(fault_point("catalog.copy.begun"));
  return move_file(part, catalog_file(data));
}

// A file beside the note is whole, and holds what the PostgreSQL does: a copy was killed, in one direction or the other.
Result<CatalogCopied> to_folder(const std::string& url, const fs::path& data) {
  CatalogCopied copied;
  LO_TRY(check_belongs(data, url));
  if (!has_file(data)) LO_TRY(make_file(url, data, copied));
  LO_TRY(fault_point("catalog.copy.filled"));
  LO_TRY(hand_over_store(data, ""));
  LO_TRY(note_catalog(data, ""));
  return copied;
}

}  // namespace

Result<CatalogCopied> copy_catalog(const std::string& from, const std::string& to) {
  bool out = catalog::postgres::is_postgres_url(from);
  bool in = catalog::postgres::is_postgres_url(to);
  if (out == in) return fail(Code::unacceptable, "one of the two must be a data folder, the other the URL of a PostgreSQL: postgresql://…");
  LO_TRY(catalog::postgres::check_url(out ? from : to));
  fs::path data = out ? to : from;
  std::error_code error;
  if (!fs::is_directory(data, error)) return fail(Code::not_found, fmt::format("there is no folder {}", data.string()));
  if (!has_file(data) && noted_catalog(data).empty()) {  // nothing of ours: not to be touched
    if (in) return fail(Code::not_found, fmt::format("there is no catalog in {}", data.string()));
    return refuse_foreign(data);
  }
  LO_ASSIGN(auto held, DataFolder::hold(data));
  return out ? to_folder(from, data) : to_postgres(data, to);
}

}  // namespace lo::serve
