// Which types the values of a JSON file allow: all values are looked at, and of each kind the first is kept, to be named where they do not agree.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "dataset/json_fields.h"
#include "dataset/json_tape.h"
#include "dataset/types.h"

namespace lo::dataset {

inline constexpr std::size_t kMostJsonFields = 10'000;  // with those of nested objects

// What the texts of JSON numbers are as values: exact, or not at all.
bool fits_integer(std::string_view digits);
bool fits_number(std::string_view text, JsonKind kind);  // an integer with more digits than a float holds does not

// What is seen of one field, or of the rows themselves. One thread at a time.
class JsonShape {
 public:
  // Adds an object, row `row` (from 0) of the part of the file that this is the shape of. Gives what is wrong with it: a name that comes twice in
  // an object, or too many fields. Fields of `asked` may hold anything.
  std::optional<std::string> add_row(JsonTokens members, std::int64_t row, const Types& asked);

  // Adds what was seen of the part of the file that begins at `row`. Code::unacceptable for too many fields. No rows are added afterwards.
  Status merge(const JsonShape& later, std::int64_t row);

  // The fields of the rows in the order in which they come first. Code::unacceptable naming row, field and value for values that no type holds,
  // and for a field `_id` or without a name.
  Result<std::vector<JsonField>> fields(const Types& asked) const;

 private:
  // Kinds of values that a type may or may not hold. The last three are said of numbers besides what they are.
  enum Seen : std::uint8_t { boolean, integer, number, text, list, object, long_integer, not_exact, too_large, kSeen };
  struct First {
    std::int64_t row = 0;
    std::string value;
  };
  struct Adding {
    std::int64_t row;
    std::size_t& fields;
    std::optional<std::string> wrong = {};
  };
  struct Path {
    std::string top;    // the field of the row
    std::string whole;  // "a.b[]"
  };

  void add(JsonTokens value, Adding& adding);
  void add_members(JsonTokens members, Adding& adding, const Types& asked);
  void add_number(JsonTokens value, Adding& adding);
  void note(Seen seen, JsonTokens value, std::int64_t row);
  void merge(const JsonShape& later, std::int64_t row, std::size_t& fields);
  JsonShape& member(std::string_view name, std::size_t& fields);
  JsonShape& items();

  bool has(Seen seen) const { return firsts_[seen].has_value(); }
  Result<JsonField> field(std::string name, const Path& path) const;
  Result<JsonColumnKind> kind(const Path& path) const;
  Result<JsonColumnKind> number_kind(const Path& path) const;
  std::unexpected<Error> refuse(const Path& path, Seen seen, std::string_view why) const;
  std::unexpected<Error> clash(const Path& path) const;

  std::array<std::optional<First>, kSeen> firsts_ = {};
  NameIndex names_;
  std::vector<std::pair<std::string, std::unique_ptr<JsonShape>>> members_;  // by the number of their names
  std::unique_ptr<JsonShape> items_;
  std::uint64_t objects_ = 0;      // how many were seen
  std::uint64_t last_object_ = 0;  // of those, counted from 1, that which had this member last
  std::size_t fields_ = 0;         // of the rows: all there are
};

}  // namespace lo::dataset
