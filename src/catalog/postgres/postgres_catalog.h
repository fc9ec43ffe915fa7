// The catalog in a PostgreSQL 15 or newer, for servers that are to outlive their machine: one writer thread that gathers waiting commits into
// one transaction (a pipeline, then COMMIT), a few connections that read.
#pragma once

#include <chrono>

#include "catalog/catalog.h"

namespace lo::catalog {

inline constexpr int kPostgresSchemaVersion = 2;

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

// The catalog as each of several servers has it. One of them leads: it writes. The others read, and hear of what it commits; their own commits
// are refused with Code::unavailable. When it is gone, another one can lead.
class SharedCatalog : public Catalog {
 public:
  // From now on the listener of on_events() is told of what others commit after the event `seq`, on a thread of its own. Once.
  virtual void follow(std::int64_t seq) = 0;

  // Becomes the one that leads, for good: all that was committed before has been told to the listener when it returns. Waits for at most `patience`
  // until there is none: then Code::conflict. Other errors as open_postgres_catalog(). Blocks.
  virtual Status lead(std::chrono::milliseconds patience) = 0;

  // Who leads now, or led last.
  struct Leader {
    std::string address;   // as it gave it; "" when there was none in a group
    bool is_self = false;  // this catalog leads, and nobody has begun to since
  };
  virtual Result<Leader> leader() = 0;

  // The steps of these names, then their revisions in outline, by step, then revision. Blocks.
  virtual Status each_named(const std::vector<std::string>& names, const Outline& outline, const std::function<void(Step)>& visit_step,
                            const std::function<void(Revision)>& visit_revision) = 0;
};

// As open_postgres_catalog(), but leads only when lead() is called. `address`, not empty: where others of the group reach this server. Code::conflict when
// another server is at this address, or when one that is alone, or has an older schema, holds the catalog; a catalog that has no tables yet gets them.
Result<std::unique_ptr<SharedCatalog>> share_postgres_catalog(const std::string& url, const std::string& address, const PostgresOptions& options = {});

// What tells this catalog from every other one: given when its tables are made, the same for ever. Code::not_found when they are not.
Result<std::string> postgres_catalog_id(const std::string& url);

}  // namespace lo::catalog
