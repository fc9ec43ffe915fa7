// A value for $1, $2, … of a statement, in PostgreSQL's binary format.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lo::catalog::postgres {

// Text that may hold any byte, also 0, which PostgreSQL's type text cannot: a value for a bytea.
struct Bytes {
  std::string_view view;
};

class Parameter {
 public:
  Parameter(std::int64_t value) : type_(kInt8), bytes_(big_endian(static_cast<std::uint64_t>(value))) {}  // NOLINT: a value becomes one
  Parameter(int value) : Parameter(std::int64_t{value}) {}                                                  // NOLINT
  Parameter(double value) : type_(kFloat8), bytes_(big_endian(std::bit_cast<std::uint64_t>(value))) {}      // NOLINT
  Parameter(std::string_view text) : type_(kText), bytes_(text) {}                                          // NOLINT
  Parameter(std::string text) : type_(kText), bytes_(std::move(text)) {}                                    // NOLINT
  Parameter(const char* text) : Parameter(std::string_view(text)) {}                                        // NOLINT
  Parameter(Bytes bytes) : type_(kBytea), bytes_(bytes.view) {}                                             // NOLINT
  Parameter(std::optional<std::int64_t> value) : type_(kInt8) {                                             // NOLINT
    if (value) bytes_ = big_endian(static_cast<std::uint64_t>(*value));
  }

  unsigned type() const { return type_; }  // its Oid
  const char* data() const { return bytes_ ? bytes_->data() : nullptr; }
  int size() const { return bytes_ ? static_cast<int>(bytes_->size()) : 0; }

 private:
  static constexpr unsigned kBytea = 17, kInt8 = 20, kText = 25, kFloat8 = 701;  // catalog/pg_type.dat of PostgreSQL; they never change

  static std::string big_endian(std::uint64_t value) {
    std::string out(sizeof value, '\0');
    for (auto at = out.rbegin(); at != out.rend(); ++at, value >>= 8U) *at = static_cast<char>(value & 0xffU);
    return out;
  }

  unsigned type_;
  std::optional<std::string> bytes_;
};

}  // namespace lo::catalog::postgres
