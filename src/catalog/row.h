// A row of a query's answer, whichever database gave it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lo::catalog {

// Columns of the current row, from left to right: each call takes the next one.
class Row {
 public:
  virtual std::int64_t integer() = 0;
  virtual std::optional<std::int64_t> optional_integer() = 0;
  virtual double real() = 0;
  virtual std::string_view view() = 0;  // until the next row; "" for NULL
  std::string text() { return std::string(view()); }

 protected:
  Row() = default;
  Row(const Row&) = default;
  Row& operator=(const Row&) = default;
  ~Row() = default;  // nobody owns one through this
};

}  // namespace lo::catalog
