#include "catalog/postgres/schema.h"

#include <fmt/format.h>

#include <array>

#include "catalog/postgres/postgres_catalog.h"

namespace lo::catalog::postgres {
namespace {

// As sqlite/schema.cc has it. Names sort by their bytes, as there. JSON is text, so that its members keep their order; what may hold a byte 0 or no
// UTF-8 is bytea. `sizes` is what usage adds up of a revision's files, [[digest, bytes], …]: PostgreSQL cannot look into JSON that has a \u0000
// somewhere.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE owner (
  epoch bigint NOT NULL,
  groups bigint NOT NULL,
  epoch_before bigint NOT NULL,
  groups_before bigint NOT NULL
) WITH (fillfactor = 20);
INSERT INTO owner VALUES (0, 0, 0, 0);

CREATE TABLE step (
  id bigint CONSTRAINT step_id PRIMARY KEY,
  name text COLLATE "C" NOT NULL CONSTRAINT step_name UNIQUE,
  service text COLLATE "C" NOT NULL,
  created bigint NOT NULL,
  labels text NOT NULL
);
CREATE INDEX step_by_service ON step (service, id);

CREATE TABLE label (
  key bytea NOT NULL,
  value bytea NOT NULL,
  step bigint NOT NULL REFERENCES step (id) ON DELETE CASCADE,
  PRIMARY KEY (key, value, step)
);
CREATE INDEX label_by_step ON label (step);
CREATE INDEX label_by_key ON label (key, step);

CREATE TABLE revision (
  step bigint NOT NULL REFERENCES step (id) ON DELETE CASCADE,
  revision bigint NOT NULL,
  operation text NOT NULL,
  job text NOT NULL,
  request text NOT NULL,
  parents text NOT NULL,
  state text COLLATE "C" NOT NULL,
  reason text NOT NULL,
  exception bytea NOT NULL,
  accepted bigint NOT NULL,
  started bigint,
  ended bigint,
  attempts bigint NOT NULL,
  lost bigint NOT NULL,
  facts text NOT NULL,
  result text NOT NULL,
  sizes text NOT NULL,
  PRIMARY KEY (step, revision)
);
CREATE INDEX revision_by_state ON revision (state, step, revision);
CREATE INDEX revision_typed_in_place ON revision (step) WHERE operation = 'transform/dataType';

CREATE TABLE attempt (
  step bigint NOT NULL,
  revision bigint NOT NULL,
  number bigint NOT NULL,
  token text NOT NULL,
  started bigint NOT NULL,
  ended bigint,
  state text NOT NULL,
  reason text NOT NULL,
  exception bytea NOT NULL,
  message bytea NOT NULL,
  cpu_seconds double precision NOT NULL,
  peak_memory bigint NOT NULL,
  PRIMARY KEY (step, revision, number),
  FOREIGN KEY (step, revision) REFERENCES revision (step, revision) ON DELETE CASCADE
);

CREATE TABLE event (
  seq bigint PRIMARY KEY,
  at bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  service text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  type text NOT NULL,
  data text NOT NULL
);
CREATE INDEX event_by_name ON event (name, seq);

CREATE TABLE subscription (
  name text COLLATE "C" PRIMARY KEY,
  created bigint NOT NULL,
  options text NOT NULL
);

CREATE TABLE workflow (
  name text COLLATE "C" PRIMARY KEY,
  created bigint NOT NULL,
  changed bigint NOT NULL,
  steps text NOT NULL,
  document text NOT NULL
);
CREATE INDEX workflow_by_age ON workflow (created, name);

CREATE TABLE receipt (
  key bytea PRIMARY KEY,
  request text NOT NULL,
  created bigint NOT NULL,
  answer text NOT NULL
);
CREATE INDEX receipt_by_age ON receipt (created);

CREATE TABLE artifact (
  digest text COLLATE "C" NOT NULL,
  step bigint NOT NULL,
  revision bigint NOT NULL,
  PRIMARY KEY (digest, step, revision),
  FOREIGN KEY (step, revision) REFERENCES revision (step, revision) ON DELETE CASCADE
);
CREATE INDEX artifact_by_revision ON artifact (step, revision);
CREATE TABLE garbage (digest text COLLATE "C" PRIMARY KEY);
CREATE FUNCTION artifact_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM garbage WHERE digest = NEW.digest;
  RETURN NULL;
END $$;
CREATE FUNCTION artifact_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM artifact WHERE digest = OLD.digest) THEN
    INSERT INTO garbage VALUES (OLD.digest) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER artifact_added AFTER INSERT ON artifact FOR EACH ROW EXECUTE FUNCTION artifact_added();
CREATE TRIGGER artifact_gone AFTER DELETE ON artifact FOR EACH ROW EXECUTE FUNCTION artifact_gone();
)sql";

Status make_version_1(Connection& connection) { return connection.execute(kVersion1); }

// Where the server answers whose epoch it is: several may share the catalog.
Status make_version_2(Connection& connection) { return connection.execute("ALTER TABLE owner ADD COLUMN address text NOT NULL DEFAULT ''"); }

constexpr std::array<Migration, kPostgresSchemaVersion> kMigrations{make_version_1, make_version_2};

Result<bool> is_made(Connection& connection) {
  LO_ASSIGN(auto found, connection.number("SELECT count(to_regclass('catalog_schema'))"));
  return found != 0;
}

// A schema without tables is nobody's yet.
Status make_version_table(Connection& connection) {
  LO_ASSIGN(auto schemas, connection.number("SELECT count(current_schema())"));
  if (schemas == 0) return fail(Code::unacceptable, "the database of the catalog has no schema for its tables: see search_path");
  LO_ASSIGN(auto tables, connection.number("SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"));
  if (tables != 0) return fail(Code::corrupt, "the database of the catalog (--catalog) has tables of another program: make one of its own");
  return connection.execute("CREATE TABLE catalog_schema (version bigint NOT NULL, id text NOT NULL); INSERT INTO catalog_schema VALUES (0, gen_random_uuid())");
}

Status refuse_newer(std::int64_t found, std::size_t known) {
  return fail(Code::unavailable, fmt::format("the catalog (--catalog) has schema version {}, this program knows versions up to {}: use the newer program",
                                             found, known));
}

Status migrate_in_transaction(Connection& connection, std::span<const Migration> all) {
  LO_TRY(connection.execute("SELECT pg_advisory_xact_lock(1280262977, 0)"));  // "LOCA"
  LO_ASSIGN(auto made, is_made(connection));
  if (!made) LO_TRY(make_version_table(connection));
  LO_ASSIGN(auto found, connection.number("SELECT version FROM catalog_schema"));
  auto version = static_cast<std::size_t>(found);
  if (found < 0 || version > all.size()) return refuse_newer(found, all.size());
  for (auto migration : all.subspan(version)) LO_TRY(migration(connection));
  if (version == all.size()) return {};
  LO_ASSIGN(auto stamped, connection.query("UPDATE catalog_schema SET version = $1", static_cast<std::int64_t>(all.size())));
  return stamped.status();
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

Result<std::int64_t> schema_version(Connection& connection) {
  LO_ASSIGN(auto made, is_made(connection));
  if (!made) return 0;
  return connection.number("SELECT version FROM catalog_schema");
}

Status migrate(Connection& connection, std::span<const Migration> all) {
  LO_TRY(connection.execute("BEGIN"));
  auto status = migrate_in_transaction(connection, all);
  auto ended = connection.execute(status ? "COMMIT" : "ROLLBACK");
  return status ? ended : status;
}

}  // namespace lo::catalog::postgres
