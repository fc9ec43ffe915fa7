// Hands a request on to another server of this kind, and its answer back, piece by piece. Runs on the strand of the request's connection, and
// keeps a connection of its own for it.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "http/message.h"

namespace lo::http {

// "" when `text` can be the address of a server, "http://HOST:PORT" or "https://HOST:PORT", else what is wrong.
std::string is_server_address(const std::string& text);

class Upstream {
 public:
  // Whether this address is still the one to ask. Any thread.
  using IsRight = std::function<bool(const std::string& address)>;

  // `certificate`: a PEM file that is trusted like those of the system's authorities; "" where no TLS is spoken. Connections to an address that is no
  // longer right are cut within half a second, as if the server there had died: it may be one that hangs. Blocks. Code::unacceptable when the
  // certificate cannot be read.
  static Result<Upstream> make(const std::filesystem::path& certificate, IsRight is_right);

  // The answer of the server at `address`; what only concerns the connection (Host, Origin, framing) is each server's own. Code::unavailable when nothing
  // of the request was sent, so that it can go elsewhere; Code::io when it may have been carried out there. A request that streams has been read then.
  Awaitable<Result<Response>> send_on(std::string address, Request& request) const;

 private:
  Upstream(std::shared_ptr<asio::ssl::context> tls, IsRight is_right) : tls_(std::move(tls)), is_right_(std::move(is_right)) {}

  std::shared_ptr<asio::ssl::context> tls_;
  IsRight is_right_;
};

}  // namespace lo::http
