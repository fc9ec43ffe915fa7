#include "catalog/sqlite/schema.h"

#include <fmt/format.h>

#include <array>

#include "catalog/sqlite/sqlite_catalog.h"

namespace lo::catalog::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x4c4f4341;  // "LOCA"

// Times are microseconds since 1970, states and reasons the API's words, the JSON columns what write_json gives. `result` is
// last, so that reading the columns before it does not touch its pages.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('boots', 0);

CREATE TABLE step (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  service TEXT NOT NULL,
  created INTEGER NOT NULL,
  labels TEXT NOT NULL
) STRICT;
CREATE INDEX step_by_service ON step (service, id);

CREATE TABLE label (
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  step INTEGER NOT NULL REFERENCES step (id) ON DELETE CASCADE,
  PRIMARY KEY (key, value, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_by_step ON label (step);

CREATE TABLE revision (
  step INTEGER NOT NULL REFERENCES step (id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  operation TEXT NOT NULL,
  job TEXT NOT NULL,
  request TEXT NOT NULL,
  parents TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  exception TEXT NOT NULL,
  accepted INTEGER NOT NULL,
  started INTEGER,
  ended INTEGER,
  attempts INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  facts TEXT NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (step, revision)
) STRICT;
CREATE INDEX revision_by_state ON revision (state, step, revision);

CREATE TABLE attempt (
  step INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  number INTEGER NOT NULL,
  token TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  exception TEXT NOT NULL,
  message TEXT NOT NULL,
  cpu_seconds REAL NOT NULL,
  peak_memory INTEGER NOT NULL,
  PRIMARY KEY (step, revision, number),
  FOREIGN KEY (step, revision) REFERENCES revision (step, revision) ON DELETE CASCADE
) STRICT;

CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  service TEXT NOT NULL,
  revision INTEGER NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_name ON event (name, seq);

CREATE TABLE subscription (
  name TEXT PRIMARY KEY,
  created INTEGER NOT NULL,
  options TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE artifact (
  digest TEXT NOT NULL,
  step INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (digest, step, revision),
  FOREIGN KEY (step, revision) REFERENCES revision (step, revision) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_by_revision ON artifact (step, revision);
CREATE TABLE garbage (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TRIGGER artifact_added AFTER INSERT ON artifact BEGIN
  DELETE FROM garbage WHERE digest = NEW.digest;
END;
CREATE TRIGGER artifact_gone AFTER DELETE ON artifact
WHEN NOT EXISTS (SELECT 1 FROM artifact WHERE digest = OLD.digest) BEGIN
  INSERT OR IGNORE INTO garbage VALUES (OLD.digest);
END;
)sql";

constexpr const char* kVersion2 = R"sql(
CREATE TABLE workflow (
  name TEXT PRIMARY KEY,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  steps TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;
CREATE INDEX workflow_by_age ON workflow (created, name);
)sql";

// Answers to requests with an Idempotency-Key.
constexpr const char* kReceipts = R"sql(
CREATE TABLE receipt (
  key TEXT PRIMARY KEY,
  request TEXT NOT NULL,
  created INTEGER NOT NULL,
  answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_by_age ON receipt (created);
)sql";

Status make_version_1(Connection& connection) { return connection.execute(kVersion1); }
Status make_version_2(Connection& connection) { return connection.execute(kVersion2); }

// Lists that a label or a dataType leads, in the order of steps.
Status add_list_indexes(Connection& connection) {
  return connection.execute(
      "CREATE INDEX label_by_key ON label (key, step);"
      "CREATE INDEX revision_typed_in_place ON revision (step) WHERE operation = 'transform/dataType'");
}

Status add_receipts(Connection& connection) { return connection.execute(kReceipts); }

constexpr std::array<Migration, kSchemaVersion> kMigrations{make_version_1, make_version_2, add_list_indexes, add_receipts};

// An empty file is nobody's yet.
Status check_owner(Connection& connection, const std::filesystem::path& file) {
  LO_ASSIGN(auto application, connection.number("PRAGMA application_id"));
  LO_ASSIGN(auto tables, connection.number("SELECT count(*) FROM sqlite_schema"));
  if (application == kApplicationId || tables == 0) return {};
  return fail(Code::corrupt, fmt::format("{} is a database of another program, not a catalog", file.string()));
}

Status refuse_newer(std::int64_t found, std::size_t known, const std::filesystem::path& file) {
  return fail(Code::unavailable,
              fmt::format("the catalog {} has schema version {}, this program knows versions up to {}: use the newer "
                          "program",
                          file.string(), found, known));
}

Status stamp(Connection& connection, std::size_t version) {
  return connection.execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, version));
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

Status migrate(Connection& connection, std::span<const Migration> all, const std::filesystem::path& file) {
  LO_TRY(check_owner(connection, file));
  LO_ASSIGN(auto found, connection.number("PRAGMA user_version"));
  auto version = static_cast<std::size_t>(found);
  if (found < 0 || version > all.size()) return refuse_newer(found, all.size(), file);
  if (version == all.size()) return {};
  LO_ASSIGN(auto transaction, Transaction::begin(connection));
  for (auto migration : all.subspan(version)) LO_TRY(migration(connection));
  LO_TRY(stamp(connection, all.size()));
  return transaction.commit();
}

}  // namespace lo::catalog::sqlite
