#include "catalog/postgres/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/postgres/schema.h"

namespace lo::catalog::postgres {
namespace {

// "LOCA", and the schema that the tables are in: a database may have several catalogs.
constexpr const char* kLockKey = "1280262977, 1 + (current_schema()::regnamespace::oid::bigint % 2147483646)::int";

std::unexpected<Error> refuse_held() {
  return fail(Code::conflict, "another server holds the catalog (--catalog): stop it first");
}

// A machine that vanishes is let go of within seconds, and not after the two hours of the kernel. Over a Unix socket PostgreSQL ignores it.
Status let_go_soon(Connection& connection) {
  return connection.execute("SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2; SET tcp_user_timeout = 4000");
}

// False when another connection has it for `patience` more.
Result<bool> lock_within(Connection& connection, const std::string& key, std::chrono::milliseconds patience) {
  LO_TRY(connection.execute(fmt::format("SET lock_timeout = {}", std::max<std::int64_t>(1, patience.count()))));
  auto answer = connection.query(fmt::format("SELECT pg_advisory_lock({})", key));
  bool is_late = !answer && answer.error().internal.contains("55P03");
  if (!answer && !is_late) return std::unexpected(std::move(answer).error());
  LO_TRY(connection.execute("RESET lock_timeout"));
  return !is_late;
}

Status lock_catalog(Connection& connection, std::chrono::milliseconds patience) {
  LO_TRY(let_go_soon(connection));
  LO_ASSIGN(auto locked, lock_within(connection, kLockKey, patience));
  return locked ? Status{} : refuse_held();
}

}  // namespace

Result<bool> try_lock_catalog(Connection& connection) {
  LO_ASSIGN(auto got, connection.number(fmt::format("SELECT pg_try_advisory_lock({})::int::bigint", kLockKey)));
  return got == 1;
}

// Locks of two keys stand in pg_locks with these and objsubid 2.
Result<bool> is_held(Connection& connection) {
  LO_ASSIGN(auto holders, connection.number(fmt::format("SELECT count(*) FROM pg_locks, (SELECT {}) AS key (class, object) WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND "
                                                        "database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND classid = key.class::oid AND "
                                                        "objid = key.object::oid", kLockKey)));
  return holders > 0;
}

Result<std::string> channel_of(Connection& connection) {
  LO_ASSIGN(auto schema, connection.number("SELECT current_schema()::regnamespace::oid::bigint"));
  return fmt::format("learning_orchestra_{}", schema);
}

Result<Epoch> read_epoch(Connection& connection) {
  LO_ASSIGN(auto row, connection.query("SELECT epoch, address FROM owner"));
  if (!row.step()) return fail(Code::corrupt, "the catalog is damaged: its table owner is empty");
  Epoch epoch;
  epoch.number = row.integer();
  epoch.address = row.text();
  return epoch;
}

Status make_tables(const std::string& url, std::chrono::milliseconds patience) {
  LO_ASSIGN(auto connection, Connection::open(url));
  LO_TRY(lock_catalog(connection, patience));
  return migrate(connection, migrations());
}

// The second of the two numbers is of the address and the schema: that two members of one group get the same by chance is one in four billion.
Status take_address(Connection& connection, const std::string& address, std::chrono::milliseconds patience) {
  LO_TRY(let_go_soon(connection));
  LO_ASSIGN(auto channel, channel_of(connection));
  LO_ASSIGN(auto answer, connection.query("SELECT hashtext($1)::bigint", channel + " " + address));
  if (!answer.step()) return fail(Code::internal, "no row from hashtext");
  LO_ASSIGN(auto locked, lock_within(connection, fmt::format("1280262978, {}", answer.integer()), patience));
  if (locked) return {};
  return fail(Code::conflict, fmt::format("another server of this catalog is at {} (--advertise): each needs an address of its own", address));
}

Result<Session> Session::open(const std::string& url, std::chrono::milliseconds patience, const std::string& address) {
  LO_ASSIGN(auto connection, Connection::open(url));
  LO_TRY(lock_catalog(connection, patience));
  return begin(url, std::move(connection), address);
}

Result<Session> Session::begin(const std::string& url, Connection connection, const std::string& address) {
  LO_TRY(migrate(connection, migrations()));
  Session session(url, std::move(connection));
  LO_TRY(session.begin_epoch(address));
  LO_TRY(session.remember_self());
  return session;
}

Status Session::begin_epoch(const std::string& address) {
  address_ = address;
  if (!address.empty()) {
    LO_ASSIGN(channel_, channel_of(*connection_));
  }
  LO_ASSIGN(auto row, connection_->query("UPDATE owner SET epoch_before = epoch, groups_before = groups, epoch = epoch + 1, groups = 0, address = $1 RETURNING epoch", address));
  if (!row.step()) return fail(Code::corrupt, "the catalog is damaged: its table owner is empty");
  epoch_ = row.integer();
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
  LO_TRY(let_go_soon(connection));
  LO_ASSIGN(auto locked, try_lock_catalog(connection));
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
  if (!address_.empty()) (void)take_address(connection, address_, std::chrono::milliseconds(1));  // it is a help for others, not a condition
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

std::optional<Command> Session::notify_group() const {
  if (channel_.empty()) return std::nullopt;
  return Command{.sql = "SELECT pg_notify($1, '')", .parameters = {channel_}};
}

std::optional<bool> Session::is_committed(std::int64_t number) const {
  if (!seen_) return std::nullopt;
  if (seen_->epoch == epoch_) return seen_->groups == number;
  if (seen_->epoch_before == epoch_) return seen_->groups_before == number;
  return std::nullopt;
}

}  // namespace lo::catalog::postgres
