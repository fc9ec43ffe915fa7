#include "base/error.h"

#include <cerrno>
#include <system_error>

namespace lo {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::malformed: return "malformed";
    case Code::not_found: return "not found";
    case Code::not_allowed: return "method not allowed";
    case Code::forbidden: return "forbidden";
    case Code::unacceptable: return "not acceptable";
    case Code::conflict: return "conflict";
    case Code::precondition: return "precondition failed";
    case Code::too_large: return "too large";
    case Code::unsupported_media: return "unsupported media type";
    case Code::mismatch: return "idempotency key mismatch";
    case Code::busy: return "too many requests";
    case Code::unavailable: return "unavailable";
    case Code::elsewhere: return "elsewhere";
    case Code::no_space: return "insufficient storage";
    case Code::cancelled: return "cancelled";
    case Code::timeout: return "timeout";
    case Code::io: return "input/output error";
    case Code::corrupt: return "corrupt data";
    case Code::internal: return "internal error";
  }
  return "unknown";
}

std::unexpected<Error> fail_field(Code code, std::string pointer, std::string detail) {
  Error error{.code = code, .message = detail};
  error.fields.push_back({.pointer = std::move(pointer), .detail = std::move(detail)});
  return std::unexpected(std::move(error));
}

std::unexpected<Error> fail_errno(std::string_view what, int errno_value) {
  auto code = errno_value == ENOSPC || errno_value == EDQUOT ? Code::no_space : Code::io;
  return fail(code, std::string(what) + ": " + std::generic_category().message(errno_value));
}

}  // namespace lo
