// Between Beast's messages and ours. Pure.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/system/error_code.hpp>
#include <ctime>
#include <string>

#include "http/guard.h"
#include "http/message.h"

namespace lo::http {

// Method, target and headers; path, query and body are filled in later.
Request to_request(const boost::beast::http::request_header<>& header);

// What a parser's error means for the client: 431, 505, else 400.
Refusal refusal_of(boost::system::error_code parse_error);

struct HeadOptions {
  unsigned version = 11;  // of HTTP, of the request
  bool keep_alive = true;
  std::time_t date = 0;  // now, in seconds since 1970
};

// The status line and all headers with the empty line after them. To the response's own headers it adds the framing
// (Content-Length, chunked for a stream, neither for 204 and 304), Connection, Date, and what keeps browsers from sniffing,
// framing, embedding and storing the answer. An empty text when a header's name or value cannot be sent: it holds line ends
// or NUL (response splitting), or the name is no token.
std::string response_head(const Response& response, const HeadOptions& options);

// Whether the status allows a body at all.
bool has_body(unsigned status);

}  // namespace lo::http
