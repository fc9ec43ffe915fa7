// The way to one client: TCP, or TLS over it. On the strand that is the socket's executor; one read and one write at a time.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>

#include "base/async.h"
#include "http/tls.h"

namespace lo::http {

class Transport {
 public:
  using Socket = asio::ip::tcp::socket;

  // `tls` null: plain TCP.
  Transport(Socket socket, std::shared_ptr<TlsContext> tls) : tls_(std::move(tls)), plain_(std::move(socket)) {
    if (tls_) secure_.emplace(std::move(plain_), *tls_);
  }

  bool is_secure() const { return secure_.has_value(); }
  Socket& socket() { return secure_ ? secure_->next_layer() : plain_; }
  asio::ip::tcp::socket::executor_type get_executor() { return socket().get_executor(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return secure_ ? secure_->async_read_some(buffers, std::forward<Token>(token)) : plain_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return secure_ ? secure_->async_write_some(buffers, std::forward<Token>(token)) : plain_.async_write_some(buffers, std::forward<Token>(token));
  }

  // What only TLS has: not to be called without it.
  template <class Token>
  auto async_handshake(Token&& token) {
    return secure_->async_handshake(asio::ssl::stream_base::server, std::forward<Token>(token));
  }
  // Says that nothing more comes, and waits for the client to say so.
  template <class Token>
  auto async_farewell(Token&& token) {
    return secure_->async_shutdown(std::forward<Token>(token));
  }

 private:
  const std::shared_ptr<TlsContext> tls_;
  Socket plain_;
  std::optional<asio::ssl::stream<Socket>> secure_;  // over plain_, which is empty then
};

}  // namespace lo::http
