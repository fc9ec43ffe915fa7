// The MongoDB filter subset of GET …?query=: https://www.mongodb.com/docs/manual/reference/operator/query/
//
// equality, $eq $ne $gt $gte $lt $lte $in $nin $exists $and $or $nor $not $regex ($options "i"). Fields are named with dots
// where they nest; a condition on an array holds when it holds for one element (or the whole). Comparison stays within a
// type: a string never equals a number and is neither less nor greater; null equals null and a missing field; $ne, $nin and
// $not are the negation of what they negate, and so match where the field is missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <stop_token>
#include <string_view>

#include "base/json.h"
#include "dataset/page.h"

namespace lo::dataset {

inline constexpr std::size_t kMaxQueryDepth = 32;

class Condition;  // a node of the tree; query_tree.h

// A parsed filter. Immutable: any thread. Cheap to copy.
class Query {
 public:
  Query();  // matches everything
  explicit Query(std::shared_ptr<const Condition> root);

  bool matches(const json::object& document) const;
  bool matches_all() const;  // {}
  const Condition& root() const { return *root_; }

 private:
  std::shared_ptr<const Condition> root_;
};

// JSON, or a dict as Python prints it (single quotes, True, False, None); "" is {}. Code::unacceptable (406) at "query":
// naming an unknown operator, a bad value of one, or a regular expression that RE2 does not take; nested over
// kMaxQueryDepth. Code::malformed for text that is neither.
Result<Query> parse_query(std::string_view text);

// The documents that match, in the order of `_id`: `metadata` is the document with `_id` 0, the rows of the table follow;
// `skip` and `limit` count matches. Memory is bounded by a row group and the answer. A range of `_id` that the query asks
// for is read alone; groups of rows whose least and greatest values say that none matches are not read. Of the rows
// `fields` are shown, of the metadata all. Blocks; Code::cancelled.
Result<json::array> find(const std::filesystem::path& parquet, const Query& query, const json::object& metadata,
                         std::int64_t skip, std::int64_t limit, std::stop_token stop = {}, const ShownFields& fields = {},
                         TableCache* cache = nullptr);

}  // namespace lo::dataset
