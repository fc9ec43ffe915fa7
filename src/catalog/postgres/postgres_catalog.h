// The catalog in a PostgreSQL 15 or newer, for servers that are to outlive their machine: one writer thread that gathers waiting commits into
// one transaction (a pipeline, then COMMIT), a few connections that read.
#pragma once

#include <chrono>

#include "catalog/catalog.h"

namespace lo::catalog {

inline constexpr int kPostgresSchemaVersion = 1;

struct PostgresOptions {
  std::chrono::milliseconds patience{30'000};        // for which commits wait for a connection that was lost
  std::chrono::milliseconds read_patience{5'000};    // the same for reads
  std::chrono::milliseconds owner_patience{10'000};  // at the opening, for a server that was killed to be let go of
};

// Opens the catalog that `url` leads to (see postgres/connection.h), makes or migrates its tables. What is acknowledged is on the disk of
// PostgreSQL, on that of its synchronous standbys, too, where it has some: synchronous_commit is never less than on. Code::conflict when
// another server holds it: one has it at a time. A server that was cut off and overtaken commits nothing more: Code::unavailable for good.
// Code::unavailable and Code::unacceptable with one line that names --catalog and no password when it cannot be opened, also when its schema is
// newer; Code::corrupt when the tables are another program's. Commits outlive a restart of PostgreSQL or a change to another host of
// `url`. The destructor commits what was handed over, as far as there is a connection.
Result<std::unique_ptr<Catalog>> open_postgres_catalog(const std::string& url, const PostgresOptions& options = {});

// What tells this catalog from every other one: given when its tables are made, the same for ever. Code::not_found when they are not.
Result<std::string> postgres_catalog_id(const std::string& url);

}  // namespace lo::catalog
