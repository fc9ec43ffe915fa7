// The one vocabulary of errors. Functions that can fail give Result<T>; exceptions are for programmer errors and are
// caught at the border of libraries that throw. What a code means in HTTP is decided in http/problem.h and nowhere else.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lo {

enum class Code {
  malformed,          // the text could not be read at all: broken JSON, a bad header
  not_found,          // a name, route or revision that does not exist
  not_allowed,        // the route exists, this verb does not
  forbidden,          // a foreign Host or Origin, a refused address
  unacceptable,       // understood and refused: a bad parent, field, parameter, URL, unknown key
  conflict,           // the name is taken, or busy
  precondition,       // If-Match did not match
  too_large,          // a body, a field or a file over its limit
  unsupported_media,  // a Content-Type that the route does not take
  mismatch,           // one idempotency key, two bodies
  busy,               // too many at once: try again
  unavailable,        // a part of the server is not there now: try again
  elsewhere,          // of several servers, only the one that leads can say
  no_space,           // the disk is nearly full
  cancelled,          // somebody asked to stop
  timeout,            // a limit of time ran out
  io,                 // the operating system or a peer failed
  corrupt,            // stored data does not match its digest or its schema
  internal,           // a defect of ours
};

std::string_view to_string(Code code);

// One wrong member of a request. `pointer` is a JSON pointer (RFC 6901) into the body, e.g. "/names/0".
struct FieldError {
  std::string pointer;
  std::string detail;
};

// `message` is for the person who made the request: it names the field and the value. `internal` is for the log only.
struct Error {
  Code code = Code::internal;
  std::string message;
  std::vector<FieldError> fields = {};
  std::string internal = {};
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{.code = code, .message = std::move(message)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// An error about one member of a request.
std::unexpected<Error> fail_field(Code code, std::string pointer, std::string detail);

// An error of the operating system: "<what>: <strerror(errno_value)>"; ENOSPC gives Code::no_space, all else Code::io.
std::unexpected<Error> fail_errno(std::string_view what, int errno_value);

}  // namespace lo

// Gives the error of `expression` to the caller, or goes on: LO_TRY(store.sync()).
#define LO_CONCAT_INNER(a, b) a##b
#define LO_CONCAT(a, b) LO_CONCAT_INNER(a, b)
#define LO_TRY_INNER(temporary, expression)                                                     \
  do {                                                                                          \
    if (auto temporary = (expression); !temporary.has_value())                                  \
      return std::unexpected(std::move(temporary).error());                                     \
  } while (false)
#define LO_TRY(expression) LO_TRY_INNER(LO_CONCAT(lo_tried_, __LINE__), expression)

// Declares `variable` from a Result, or gives its error to the caller: LO_ASSIGN(auto file, open(path)).
#define LO_ASSIGN_INNER(temporary, variable, expression)                        \
  auto temporary = (expression);                                                \
  if (!temporary.has_value()) return std::unexpected(std::move(temporary).error()); \
  variable = *std::move(temporary)
#define LO_ASSIGN(variable, expression) LO_ASSIGN_INNER(LO_CONCAT(lo_result_, __LINE__), variable, expression)
