// Where a server's catalog is: a SQLite file in its data folder, or a PostgreSQL. The data folder remembers which, because a server that starts with
// the wrong catalog would take everything in the store for garbage.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "catalog/postgres/postgres_catalog.h"

namespace lo::serve {

// `url`: of a PostgreSQL, or "" for the file. Code::conflict when the folder's catalog is another one, with a line that says what to do; else
// as open_sqlite_catalog() and open_postgres_catalog().
Result<std::unique_ptr<catalog::Catalog>> open_catalog(const std::filesystem::path& data, const std::string& url);

// The PostgreSQL at `url` as one of several servers has it, which is at `address`; errors as above, and as share_postgres_catalog().
Result<std::unique_ptr<catalog::SharedCatalog>> share_catalog(const std::filesystem::path& data, const std::string& url, const std::string& address);

// What a note says: its first line; "" when there is none.
std::string first_line(const std::filesystem::path& note);

// The file that the catalog is in, or would be.
std::filesystem::path catalog_file(const std::filesystem::path& data);

// The id of the PostgreSQL's catalog that the folder belongs to; "" when its catalog is the file, or there is none yet.
std::string noted_catalog(const std::filesystem::path& data);

// On disk when it returns. "" is the file again.
Status note_catalog(const std::filesystem::path& data, const std::string& id);

// Code::unacceptable when the catalog is not in the folder, for what can only work with the file.
Status check_catalog_is_here(const std::filesystem::path& data);

}  // namespace lo::serve
