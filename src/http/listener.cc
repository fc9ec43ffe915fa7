#include "http/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>

#include "base/text.h"

namespace lo::http {
namespace {

namespace ip = boost::asio::ip;

Result<ip::address> address_of(const std::string& host, bool beyond_loopback) {
  boost::system::error_code error;
  auto address = host == "localhost" ? ip::address(ip::address_v4::loopback()) : ip::make_address(host, error);
  if (error) return fail(Code::forbidden, fmt::format("the host \"{}\" is refused: it is no address, such as 127.0.0.1 or ::1", printable(host)));
  if (!beyond_loopback && !address.is_loopback())
    return fail(Code::forbidden,
                fmt::format("the host \"{}\" is refused: without authentication only loopback is served, such as "
                            "127.0.0.1, ::1 or localhost",
                            printable(host)));
  return address;
}

Result<std::uint16_t> bound_port(int fd) {
  ip::tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  if (::getsockname(fd, bound.data(), &size) != 0) return fail_errno("getsockname", errno);
  bound.resize(size);
  return bound.port();
}

}  // namespace

Result<Listening> listen_on(const std::string& host, std::uint16_t port, bool beyond_loopback) {
  LO_ASSIGN(auto address, address_of(host, beyond_loopback));
  ip::tcp::endpoint endpoint(address, port);
  auto what = fmt::format("cannot listen on {} port {}", host, port);
  Listening listening{.fd = UniqueFd(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
                      .address = address.to_string(),
                      .port = 0,
                      .v6 = address.is_v6()};
  int fd = listening.fd.get();
  int on = 1;
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return fail_errno(what, errno);
  if (::bind(fd, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) return fail_errno(what, errno);
  if (::listen(fd, SOMAXCONN) != 0) return fail_errno(what, errno);
  LO_ASSIGN(listening.port, bound_port(fd));
  return listening;
}

Accepted accept_from(int listening) {
  Accepted accepted{.fd = UniqueFd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)), .error = 0};
  if (!accepted.fd) {
    accepted.error = errno;
    return accepted;
  }
  int on = 1;  // answers and events are small and must not wait for each other (Nagle)
  ::setsockopt(accepted.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return accepted;
}

}  // namespace lo::http
