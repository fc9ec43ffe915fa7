// The socket that clients connect to, close-on-exec. Not for several threads at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/fd.h"

namespace lo::http {

struct Listening {
  UniqueFd fd;          // bound, listening, not blocking
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
  bool v6 = false;
};

// Binds an address of 127.0.0.0/8, ::1 or "localhost" (127.0.0.1); with `beyond_loopback` any address of this machine. Code::forbidden for another,
// Code::io naming host and port when the bind fails.
Result<Listening> listen_on(const std::string& host, std::uint16_t port, bool beyond_loopback);

struct Accepted {
  UniqueFd fd;    // not blocking, close-on-exec from its first instant; none when `error` says why
  int error = 0;  // EAGAIN: nobody is waiting
};
Accepted accept_from(int listening);

}  // namespace lo::http
