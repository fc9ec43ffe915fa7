// A connection to another server: TCP, or TLS over it. On one strand.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/async.h"
#include "base/error.h"

namespace lo::http {

class Link {
 public:
  using ErrorCode = boost::system::error_code;
  using Plain = boost::beast::tcp_stream;
  using Secure = asio::ssl::stream<Plain>;

  // `address` is "http://HOST:PORT" or "https://HOST:PORT". Code::unavailable when there is no connection within a few seconds. A server that is gone
  // without a word is noticed within 11 s.
  static Awaitable<Result<std::shared_ptr<Link>>> open(std::string address, std::shared_ptr<asio::ssl::context> tls);

  const std::string& address() const { return address_; }
  bool is_open();  // as far as is known without waiting
  void close() { socket().close(); }  // what is under way fails

  // What `step(stream)`, an Awaitable of an error_code, gives. It is cut off after `most`, where that is given.
  template <class Step>
  Awaitable<ErrorCode> run(Step step, std::optional<std::chrono::milliseconds> most = {}) {
    if (most) socket().expires_after(*most);
    else socket().expires_never();
    if (auto* secure = std::get_if<Secure>(&stream_)) co_return co_await step(*secure);
    co_return co_await step(std::get<Plain>(stream_));
  }

  boost::beast::flat_buffer buffer;  // what has been received and not read

 private:
  Link(std::string address, std::variant<Plain, Secure> stream) : address_(std::move(address)), stream_(std::move(stream)) {}
  Plain& socket();
  void notice_loss();
  Awaitable<ErrorCode> connect(const std::string& host, const std::string& port);

  const std::string address_;
  std::variant<Plain, Secure> stream_;
};

}  // namespace lo::http
