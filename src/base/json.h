// Boost.JSON under a short name, with this project's limits and number texts. Nothing here throws. Any thread.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lo {

namespace json = boost::json;

inline constexpr std::size_t kMaxJsonDepth = 64;

// Reads one JSON text (RFC 8259, UTF-8). Code::malformed with line and column (characters, from 1) when it is not JSON, holds
// NaN or Infinity or a number beyond them, repeats a key, or nests deeper than `max_depth`. Doubles are read to the nearest
// one, so that write_json and parse_json together change none.
Result<json::value> parse_json(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

// The same, but it must be an object.
Result<json::object> parse_json_object(std::string_view text, std::size_t max_depth = kMaxJsonDepth);

// Compact JSON that is always valid: members in their order, doubles in their shortest exact form (0.8, 3.0, 1e+20; Boost
// would write 8E-1), NaN and infinities as null, bytes that are not UTF-8 as U+FFFD.
std::string write_json(const json::value& value);

// A fixed text for equal values: as write_json, with the keys sorted. For comparing and digesting.
std::string canonical_json(const json::value& value);

// The member as text, or `fallback` when it is missing or no string.
std::string string_or(const json::object& object, std::string_view key, std::string_view fallback = "");

// The member, or an empty object when it is missing or no object.
json::object object_or_empty(const json::object& object, std::string_view key);

}  // namespace lo
