#include "catalog/postgres/session.h"

#include <fmt/format.h>

#include "catalog/postgres/schema.h"

namespace lo::catalog::postgres {
namespace {

// "LOCA", and the schema that the tables are in: a database may have several catalogs.
constexpr const char* kLockKey = "1280262977, 1 + (current_schema()::regnamespace::oid::bigint % 2147483646)::int";

std::unexpected<Error> refuse_held() {
  return fail(Code::conflict, "another server holds the catalog (--catalog): stop it first");
}

Status lock_within(Connection& connection, std::chrono::milliseconds patience) {
  LO_TRY(connection.execute(fmt::format("SET lock_timeout = {}", std::max<std::int64_t>(1, patience.count()))));
  auto answer = connection.query(fmt::format("SELECT pg_advisory_lock({})", kLockKey));
  if (!answer && answer.error().internal.contains("55P03")) return refuse_held();
  if (!answer) return std::unexpected(std::move(answer).error());
  return connection.execute("RESET lock_timeout");
}

Result<bool> try_lock(Connection& connection) {
  LO_ASSIGN(auto got, connection.number(fmt::format("SELECT pg_try_advisory_lock({})::int::bigint", kLockKey)));
  return got == 1;
}

}  // namespace

// Locks of two keys stand in pg_locks with these and objsubid 2.
Result<bool> is_held(Connection& connection) {
  LO_ASSIGN(auto holders, connection.number(fmt::format("SELECT count(*) FROM pg_locks, (SELECT {}) AS key (class, object) WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND "
                                                        "database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = key.class::oid AND "
                                                        "objid = key.object::oid", kLockKey)));
  return holders > 0;
}

Result<Session> Session::open(const std::string& url, std::chrono::milliseconds patience) {
  LO_ASSIGN(auto connection, Connection::open(url));
  LO_TRY(lock_within(connection, patience));
  LO_TRY(migrate(connection, migrations()));
  Session session(url, std::move(connection));
  LO_TRY(session.begin_epoch());
  LO_TRY(session.remember_self());
  return session;
}

Status Session::begin_epoch() {
  LO_ASSIGN(epoch_, connection_->number("UPDATE owner SET epoch_before = epoch, groups_before = groups, epoch = epoch + 1, groups = 0 RETURNING epoch"));
  return {};
}

Status Session::remember_self() {
  pid_ = connection_->pid();
  LO_ASSIGN(auto answer, connection_->query("SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()"));
  began_ = answer.step() ? answer.text() : "";
  return {};
}

Result<Session::Owner> Session::read_owner(Connection& connection) {
  LO_ASSIGN(auto row, connection.query("SELECT epoch, groups, epoch_before, groups_before FROM owner"));
  if (!row.step()) return fail(Code::corrupt, "the catalog is damaged: its table owner is empty");
  Owner owner;
  owner.epoch = row.integer();
  owner.groups = row.integer();
  owner.epoch_before = row.integer();
  owner.groups_before = row.integer();
  return owner;
}

std::unexpected<Error> Session::refuse_overtaken() {
  is_overtaken_ = true;
  return fail(check().error());
}

Status Session::check() const {
  if (is_overtaken_)
    return fail(Code::unavailable, "another server has taken over the catalog: this one can change nothing any more and must be stopped");
  if (!is_there()) return fail(Code::unavailable, "the catalog's database is not there now: try again");
  return {};
}

// While the lock is not ours, the connection of before may still be alive over there and even commit: what `owner` says counts only when that
// is gone, or another one's epoch has begun.
Status Session::regain() {
  connection_.reset();
  seen_.reset();
  LO_ASSIGN(auto connection, Connection::open(url_));
  LO_ASSIGN(auto locked, try_lock(connection));
  LO_ASSIGN(auto owner, read_owner(connection));
  if (owner.epoch != epoch_) {
    seen_ = owner;
    return refuse_overtaken();
  }
  if (!locked) {
    LO_TRY(end_own_remains(connection));
    return fail(Code::unavailable, "the catalog's database still holds the connection of before: try again");
  }
  seen_ = owner;
  connection_ = std::move(connection);
  return remember_self();
}

Status Session::end_own_remains(Connection& connection) const {
  LO_ASSIGN(auto ended, connection.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2", pid_, began_));
  return ended.status();
}

// The row stays locked until the transaction ends: no epoch begins meanwhile.
Command Session::note_group(std::int64_t number) {
  return {.sql = "UPDATE owner SET groups = $2 WHERE epoch = $1", .parameters = {epoch_, number}, .check = [this](Answer& answer) -> Status {
            LO_TRY(answer.status());
            if (answer.changed() == 0) return refuse_overtaken();
            return {};
          }};
}

std::optional<bool> Session::is_committed(std::int64_t number) const {
  if (!seen_) return std::nullopt;
  if (seen_->epoch == epoch_) return seen_->groups == number;
  if (seen_->epoch_before == epoch_) return seen_->groups_before == number;
  return std::nullopt;
}

}  // namespace lo::catalog::postgres
