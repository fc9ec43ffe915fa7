// SQLite's C interface made safe: owners, Results instead of codes, prepared statements kept. Nothing of our schema here.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "catalog/sqlite/query.h"

struct sqlite3;

namespace lo::catalog::sqlite {

// One connection. Used by one thread at a time.
class Connection {
 public:
  enum class Access { read_write, read_only };

  // read_write makes the file when it is missing, readable by its owner only. Code::io when it cannot be opened.
  static Result<Connection> open(const std::filesystem::path& file, Access access);

  // Runs statements without parameters; their rows are dropped.
  Status execute(const std::string& sql);

  // A statement with its parameters bound, in the order of ?1, ?2, … It is prepared once and kept, so one text must not be
  // run twice at the same time.
  template <class... Parameters>
  Result<Query> query(std::string_view sql, const Parameters&... parameters) {
    LO_ASSIGN(auto* statement, prepare(sql));
    Query query(statement);
    LO_TRY(query.bind_all(parameters...));
    return query;
  }

  // The same for a statement without rows. Gives how many rows it inserted, changed or deleted.
  template <class... Parameters>
  Result<std::int64_t> run(std::string_view sql, const Parameters&... parameters) {
    LO_ASSIGN(auto statement, query(sql, parameters...));
    LO_TRY(statement.step());
    return changes();
  }

  // The one number that a statement gives: a PRAGMA, a count, a maximum.
  Result<std::int64_t> number(std::string_view sql);

  // Makes `target`, which is empty, what this database is at one moment. Others write to this one meanwhile as if nothing were.
  Status copy_to(Connection& target);

  // False once SQLite has rolled back by itself, as it may when the disk is full.
  bool in_transaction() const;

  int last_code() const;  // extended result code of the last call that failed

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  explicit Connection(sqlite3* handle) : handle_(handle) {}
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  std::int64_t changes() const;

  std::unique_ptr<sqlite3, Close> handle_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;  // go before the handle
};

// BEGIN IMMEDIATE … COMMIT; rolled back when it goes without commit().
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  Status commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  Connection* connection_;
};

}  // namespace lo::catalog::sqlite
