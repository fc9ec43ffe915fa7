// A request and a response as handlers see them: nothing of Beast in here, so that a handler is tested as a function.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/async.h"
#include "base/json.h"

namespace lo::http {

// The body of a route that streams (uploads): at most `some.size()` bytes into `some`; 0 at the end. Code::io when the client
// went away, Code::timeout when it is too slow.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  virtual Awaitable<Result<std::size_t>> read(std::span<char> some) = 0;
};

struct Request {
  std::string method;                                          // "GET"
  std::string target;                                          // as sent: "/a/b?x=1"; for logs and `instance`
  std::string path;                                            // decoded, without the query
  std::map<std::string, std::string, std::less<>> parameters;  // of the route's pattern, decoded: {"name": …}
  std::vector<std::pair<std::string, std::string>> query;      // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;    // names in lower case
  std::string body;                                            // whole, unless the route streams
  std::string user = {};                                       // whose token it came with; "" where none is asked for
  BodyReader* stream = nullptr;                                // set when the route streams; lives as long as the handler runs
  std::function<void()> on_allow_cancel;                       // set by the server
  std::shared_ptr<void>* kept = nullptr;                       // what a handler keeps from one request of a connection to the next; may be missing

  // A GET is cancelled when its client leaves: the next co_await throws operation_aborted (asio's way), the server catches it.
  // A request that changes something runs to its end. A handler that has done its change and only waits (Prefer: wait) calls
  // this: from then on its client's leaving cancels it as well, also when it left before. On the handler's strand.
  void allow_cancel() const {
    if (on_allow_cancel) on_allow_cancel();
  }

  std::optional<std::string_view> query_value(std::string_view name) const;
  std::optional<std::string_view> header(std::string_view name) const;  // name in lower case
};

// Where a streaming response writes; an empty chunk writes nothing. Gives false once the client is gone, or took nothing for
// ServerOptions::write_timeout: stop then (or is cancelled, whichever is noticed first).
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Awaitable<bool> write(std::string_view chunk) = 0;
};

// Writes the body piece by piece (chunked). Ended by returning; cancelled (its co_await throws operation_aborted, which it
// lets pass) when the client leaves or the server stops. One that throws on its own cuts the connection, so that the client
// sees that the body is not whole. Runs on the connection's strand.
using StreamBody = std::move_only_function<Awaitable<void>(BodyWriter&)>;

struct Response {
  unsigned status = 200;
  // Content-Type among them. The server adds Content-Length, Date, and where the handler has set none: Cache-Control: no-store
  // and what guards browsers (wire.h).
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::variant<std::string, StreamBody> body = {};
};

// application/json with `status`.
Response json_response(unsigned status, const json::value& body);
Response text_response(unsigned status, std::string content_type, std::string body);

// The header of an answer that says: of several servers, only the one that leads can tell.
inline constexpr const char* kElsewhere = "Orchestra-Elsewhere";

// application/problem+json (RFC 9457) with the 2021 member `result`; the status follows from error.code; 429 and 503 get
// Retry-After. `error.internal` is never shown. `instance` is the request's target.
Response problem_response(const Error& error, std::string_view instance);
// The same for a status of HTTP itself that no Code stands for, such as 431.
Response problem_response(unsigned status, std::string_view detail, std::string_view instance);
unsigned status_of(Code code);

}  // namespace lo::http
