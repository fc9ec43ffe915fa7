// Strong entity tags (RFC 9110, section 8.8.3), which make polling cheap. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace lo::http {

// A strong tag of a body, with its quotes: equal bodies have equal tags (XXH3, 128 bits).
std::string etag_of(std::string_view body);

// Whether If-None-Match or If-Match, a list of tags or "*", names `etag`. Weak comparison takes W/"x" for "x", as If-None-Match
// does; If-Match compares strongly. A header that cannot be read matches nothing.
enum class Comparison { weak, strong };
bool etag_matches(std::string_view header, std::string_view etag, Comparison comparison);

// The strong tags of a list such as If-Match, without their quotes, up to where it can no longer be read.
std::vector<std::string> strong_tags(std::string_view header);

// The response with the tag of its body; 304 without a body when the request's If-None-Match names it already. Only a 200 with
// a whole body is changed, the rest passes. A tag that the handler has set is kept.
Response with_etag(const Request& request, Response response);

}  // namespace lo::http
