// One run of a prepared statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "catalog/row.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lo::catalog::sqlite {

// The error of the connection's last call: FULL is no_space, CORRUPT and NOTADB are corrupt, BUSY is unavailable, what the
// system refused is io, anything else is a defect of ours. SQLite's own words are in `internal`.
Error last_error(sqlite3* handle);

// Borrows a statement of a Connection and resets it at the end, which also ends the read transaction.
class Query final : public Row {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  Query(Query&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  ~Query();

  // Binds ?1, ?2, …: whole numbers, doubles, texts, optionals of them (NULL).
  template <class... Parameters>
  Status bind_all(const Parameters&... parameters) {
    int index = 0;
    bool bound = (bind(++index, parameters) && ...);
    return bound ? Status{} : Status(fail(error()));
  }

  // Goes on to the next row. False after the last one.
  Result<bool> step();

  std::int64_t integer() override;
  std::optional<std::int64_t> optional_integer() override;
  double real() override;
  std::string_view view() override;

 private:
  bool bind(int index, std::int64_t value);
  bool bind(int index, int value) { return bind(index, std::int64_t{value}); }
  bool bind(int index, double value);
  bool bind(int index, std::string_view value);
  bool bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  bool bind(int index, const char* value) { return bind(index, std::string_view(value)); }
  template <class T>
  bool bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind_null(index);
  }
  bool bind_null(int index);
  Error error() const;

  sqlite3_stmt* statement_;
  int column_ = 0;
};

}  // namespace lo::catalog::sqlite
