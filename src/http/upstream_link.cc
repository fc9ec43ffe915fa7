#include "http/upstream_link.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/url/parse.hpp>
#include <tuple>

namespace lo::http {
namespace {

using asio::ip::tcp;

constexpr std::chrono::seconds kConnectPatience{3};
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

void set_option(int socket, int level, int name, int value) { ::setsockopt(socket, level, name, &value, sizeof value); }

}  // namespace

Awaitable<Result<std::shared_ptr<Link>>> Link::open(std::string address, std::shared_ptr<asio::ssl::context> tls) {
  auto url = boost::urls::parse_uri(address).value();  // was checked when it was given
  std::string host(url.host_address());
  auto executor = co_await asio::this_coro::executor;
  std::variant<Plain, Secure> stream(std::in_place_type<Plain>, executor);
  if (url.scheme_id() == boost::urls::scheme::https) {
    auto& secure = stream.emplace<Secure>(Plain(executor), *tls);
    ::SSL_ctrl(secure.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());  // what its macro does
    secure.set_verify_callback(asio::ssl::host_name_verification(host));
  }
  std::shared_ptr<Link> link(new Link(address, std::move(stream)));
  auto error = co_await link->connect(host, url.port());
  if (error) co_return fail(Error{.code = Code::unavailable, .message = fmt::format("the server at {} cannot be reached", address), .internal = error.message()});
  co_return link;
}

Awaitable<Link::ErrorCode> Link::connect(const std::string& host, const std::string& port) {
  tcp::resolver resolver(co_await asio::this_coro::executor);
  auto [error, found] = co_await resolver.async_resolve(host, port, kTuple);
  if (error) co_return error;
  socket().expires_after(kConnectPatience);
  std::tie(error, std::ignore) = co_await socket().async_connect(found, kTuple);
  if (error) co_return error;
  notice_loss();
  auto* secure = std::get_if<Secure>(&stream_);
  if (secure == nullptr) co_return error;
  std::tie(error) = co_await secure->async_handshake(asio::ssl::stream_base::client, kTuple);
  co_return error;
}

// Answers may take minutes, so silence says nothing: the kernel asks the other one's.
void Link::notice_loss() {
  auto fd = socket().socket().native_handle();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 11'000);
}

Link::Plain& Link::socket() {
  auto* secure = std::get_if<Secure>(&stream_);
  return secure != nullptr ? secure->next_layer() : std::get<Plain>(stream_);
}

bool Link::is_open() {
  char byte = 0;
  auto fd = socket().socket().native_handle();
  return fd >= 0 && ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace lo::http
