// What the server speaks TLS with.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <filesystem>
#include <memory>

#include "base/error.h"

namespace lo::http {

using TlsContext = boost::asio::ssl::context;

// TLS 1.2 and 1.3 with HTTP/1.1 inside. `certificate` is a PEM file of the server's certificate and those between it and its authority, `key` one of
// its private key. Blocks. Code::unacceptable naming the file and what OpenSSL says of it; also where the two do not belong together.
Result<std::shared_ptr<TlsContext>> read_tls(const std::filesystem::path& certificate, const std::filesystem::path& key);

}  // namespace lo::http
