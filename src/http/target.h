// The target of a request, taken apart. Pure. Percent-escapes are decoded once, after splitting (RFC 3986, section 2.4).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace lo::http {

// Views into the target of a request line (RFC 9112, section 3.2), still encoded.
struct Target {
  std::string_view path;       // "/a/b", or "*"
  std::string_view query;      // without "?"
  std::string_view authority;  // "localhost:8000" of the absolute form, else ""
};

// Takes "/a/b?x=1", "http://localhost:8000/a/b?x=1" and "*". Code::malformed for all else, and for a fragment or a backslash.
Result<Target> split_target(std::string_view target);

// The decoded segments of a path: none for "/", {"a", "b c"} for "/a/b%20c". Code::malformed for bad escapes, empty segments,
// "." and "..", and for control characters, NUL, slashes, backslashes and broken UTF-8, also when they were escaped.
Result<std::vector<std::string>> split_path(std::string_view path);

// The whole path decoded, for one that split_path takes.
std::string decode_path(std::string_view path);

// The decoded pairs of a query, in order; "+" is a space; "a" and "a=" both give {"a", ""}. Characters that ought to have been
// escaped, such as braces, are taken as they are. Code::malformed for bad escapes, NUL and broken UTF-8.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

}  // namespace lo::http
