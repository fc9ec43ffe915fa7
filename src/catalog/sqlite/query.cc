#include "catalog/sqlite/query.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

namespace lo::catalog::sqlite {
namespace {

Code code_of(int result, int system_errno) {
  if (system_errno == ENOSPC || system_errno == EDQUOT) return Code::no_space;
  switch (result) {
    case SQLITE_FULL: return Code::no_space;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM: return Code::unavailable;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return Code::io;
    default: return Code::internal;
  }
}

std::string_view message_of(Code code) {
  switch (code) {
    case Code::no_space: return "the disk that holds the catalog is full";
    case Code::corrupt: return "the catalog is damaged";
    case Code::unavailable: return "the catalog is busy";
    case Code::io: return "the catalog could not be read or written";
    default: return "the catalog refused a statement";
  }
}

}  // namespace

Error last_error(sqlite3* handle) {
  auto extended = ::sqlite3_extended_errcode(handle);
  auto result = extended & 0xff;
  auto code = code_of(result, result == SQLITE_IOERR ? ::sqlite3_system_errno(handle) : 0);
  return {.code = code,
          .message = std::string(message_of(code)),
          .internal = fmt::format("SQLite: {} ({})", ::sqlite3_errmsg(handle), extended)};
}

Query::~Query() {
  if (statement_ == nullptr) return;
  ::sqlite3_reset(statement_);
  ::sqlite3_clear_bindings(statement_);  // lets go of long texts
}

Result<bool> Query::step() {
  column_ = 0;
  switch (::sqlite3_step(statement_)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: return false;
    default: return fail(error());
  }
}

std::int64_t Query::integer() { return ::sqlite3_column_int64(statement_, column_++); }

std::optional<std::int64_t> Query::optional_integer() {
  if (::sqlite3_column_type(statement_, column_) != SQLITE_NULL) return integer();
  ++column_;
  return std::nullopt;
}

double Query::real() { return ::sqlite3_column_double(statement_, column_++); }

std::string_view Query::view() {
  auto column = column_++;
  const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(statement_, column));
  auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, size);
}

bool Query::bind(int index, std::int64_t value) {
  return ::sqlite3_bind_int64(statement_, index, value) == SQLITE_OK;
}

bool Query::bind(int index, double value) { return ::sqlite3_bind_double(statement_, index, value) == SQLITE_OK; }

bool Query::bind(int index, std::string_view value) {
  const auto kCopy = reinterpret_cast<sqlite3_destructor_type>(-1);  // SQLITE_TRANSIENT without its C cast
  const char* bytes = value.data() == nullptr ? "" : value.data();       // nullptr would bind NULL
  return ::sqlite3_bind_text64(statement_, index, bytes, value.size(), kCopy, SQLITE_UTF8) == SQLITE_OK;
}

bool Query::bind_null(int index) { return ::sqlite3_bind_null(statement_, index) == SQLITE_OK; }

Error Query::error() const { return last_error(::sqlite3_db_handle(statement_)); }

}  // namespace lo::catalog::sqlite
