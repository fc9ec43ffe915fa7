#include "catalog/sqlite/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

#include "base/fd.h"

namespace lo::catalog::sqlite {
namespace {

// SQLite would make the file readable by all; its -wal and -shm take over the permissions of the file.
Status make_private_file(const std::filesystem::path& file) {
  UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(fmt::format("the catalog {} cannot be opened", file.string()), errno);
  return {};
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
void Connection::Finalize::operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }

Result<Connection> Connection::open(const std::filesystem::path& file, Access access) {
  if (access == Access::read_write) LO_TRY(make_private_file(file));
  auto flags = (access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  auto result = ::sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  Connection connection(handle);
  if (handle == nullptr) return fail(Code::unavailable, "no memory for a connection to the catalog");
  ::sqlite3_extended_result_codes(handle, 1);
  if (result != SQLITE_OK) return fail(last_error(handle));
  return connection;
}

Status Connection::execute(const std::string& sql) {
  if (::sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(last_error(handle_.get()));
}

Result<std::int64_t> Connection::number(std::string_view sql) {
  LO_ASSIGN(auto statement, query(sql));
  LO_ASSIGN(auto found, statement.step());
  if (!found) return fail(Code::internal, fmt::format("no row from: {}", sql));
  return statement.integer();
}

// In one step: within one read transaction, which the writer of a WAL never waits for. In several, each commit of another process would
// start the copy over. VACUUM INTO reads one moment, too, but builds every table and index anew (140 MB: a quarter to a half longer,
// in which the log only grows) and does not sync what it wrote.
Status Connection::copy_to(Connection& target) {
  auto* copying = ::sqlite3_backup_init(target.handle_.get(), "main", handle_.get(), "main");
  if (copying == nullptr) return fail(last_error(target.handle_.get()));
  constexpr int kAllPages = -1;
  auto stepped = ::sqlite3_backup_step(copying, kAllPages);
  auto finished = ::sqlite3_backup_finish(copying);  // OK, too, when the step was only refused for now
  if (finished != SQLITE_OK) return fail(last_error(target.handle_.get()));
  if (stepped != SQLITE_DONE) return fail(Code::unavailable, "the catalog is busy");
  return {};
}

bool Connection::in_transaction() const { return ::sqlite3_get_autocommit(handle_.get()) == 0; }

int Connection::last_code() const { return ::sqlite3_extended_errcode(handle_.get()); }

Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  if (auto known = statements_.find(sql); known != statements_.end()) return known->second.get();
  sqlite3_stmt* statement = nullptr;
  auto result = ::sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                     &statement, nullptr);
  if (result != SQLITE_OK) {
    auto error = last_error(handle_.get());
    error.internal += fmt::format(" in: {}", sql);
    return fail(std::move(error));
  }
  statements_.emplace(sql, statement);
  return statement;
}

std::int64_t Connection::changes() const { return ::sqlite3_changes64(handle_.get()); }

Result<Transaction> Transaction::begin(Connection& connection) {
  LO_TRY(connection.run("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ != nullptr && connection_->in_transaction()) (void)connection_->run("ROLLBACK");
}

Status Transaction::commit() {
  LO_TRY(connection_->run("COMMIT"));
  connection_ = nullptr;
  return {};
}

}  // namespace lo::catalog::sqlite
