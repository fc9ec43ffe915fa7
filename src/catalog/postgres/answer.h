// What one statement gave: rows, a count, or an error.
#pragma once

#include <memory>

#include "base/error.h"
#include "catalog/row.h"

struct pg_result;

namespace lo::catalog::postgres {

// libpq's words, which may be several lines, on one.
std::string one_line(std::string_view text);

class Answer final : public Row {
 public:
  explicit Answer(pg_result* result) : result_(result) {}  // owned; nullptr is an answer that never came

  // The error: no_space, corrupt, unavailable and io as PostgreSQL's codes say it, anything else is a defect of ours. PostgreSQL's own
  // words, without the values of rows, are in `internal`.
  Status status() const;
  std::string_view sqlstate() const;    // five characters; "" when all is well
  std::string_view constraint() const;  // the one that the statement would have broken
  std::string_view command() const;     // "COMMIT", "UPDATE 1": what the statement did
  std::int64_t changed() const;         // rows inserted, changed or deleted

  // Goes on to the next row. False after the last one.
  bool step();

  std::int64_t integer() override;
  std::optional<std::int64_t> optional_integer() override;
  double real() override;
  std::string_view view() override;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };

  std::uint64_t eight_bytes();

  std::unique_ptr<pg_result, Clear> result_;
  int row_ = -1;
  int column_ = 0;
};

}  // namespace lo::catalog::postgres
