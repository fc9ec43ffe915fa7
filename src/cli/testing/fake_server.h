// A small HTTP server for the tests of the client: answers by a function, keeps event streams open, can be cut off and come
// back. Header only, so that nothing of it is in the product.
#pragma once

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <list>
#include <map>
#include <string>

#include "base/async.h"
#include "base/named_thread.h"

namespace lo::cli::testing {

struct FakeRequest {
  std::string method;
  std::string target;  // as sent
  std::string body;
  std::map<std::string, std::string> headers;  // as sent
};

struct FakeReply {
  unsigned status = 200;
  std::string body = {};
  std::string type = "application/json";
  bool keep_open = false;  // an event stream: `body` first, then what push() says
  bool cut = false;        // the connection is closed without an answer
};

class FakeServer {
 public:
  using Handler = std::function<FakeReply(const FakeRequest&)>;

  // `handler` runs on the server's thread, and may call push_here(). Port 0: any.
  explicit FakeServer(Handler handler, std::uint16_t port = 0)
      : handler_(std::move(handler)),
        acceptor_(context_, {asio::ip::make_address("127.0.0.1"), port}),
        port_(acceptor_.local_endpoint().port()),
        thread_("fake-server", [this] { context_.run(); }) {
    asio::co_spawn(context_, accept(), asio::detached);
  }

  ~FakeServer() { context_.stop(); }

  std::uint16_t port() const { return port_; }
  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }

  // Writes to every open stream; from the server's own thread.
  void push_here(const std::string& text) {
    boost::system::error_code ignored;
    for (auto& stream : streams_) asio::write(stream, asio::buffer(text), ignored);
  }
  void cut_streams_here() { streams_.clear(); }

  // From any other thread.
  void push(const std::string& text) {
    wait_for([&] { push_here(text); });
  }

 private:
  template <class Work>
  void wait_for(Work work) {
    std::promise<void> done;
    asio::post(context_, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  Awaitable<void> accept() {
    for (;;) asio::co_spawn(context_, serve(co_await acceptor_.async_accept(asio::use_awaitable)), asio::detached);
  }

  Awaitable<void> serve(asio::ip::tcp::socket socket) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(boost::none);
      co_await http::async_read(socket, buffer, parser, asio::use_awaitable);
      auto reply = handler_(request_from(parser.get()));
      if (reply.cut) co_return;
      if (reply.keep_open) {
        auto head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + reply.body;
        asio::write(socket, asio::buffer(head));
        streams_.push_back(std::move(socket));
        co_return;
      }
      http::response<http::string_body> response(static_cast<http::status>(reply.status), 11, reply.body);
      response.set(http::field::content_type, reply.type);
      response.prepare_payload();
      co_await http::async_write(socket, response, asio::use_awaitable);
    }
  }

  template <class Request>
  static FakeRequest request_from(const Request& request) {
    FakeRequest out{.method = request.method_string(), .target = request.target(), .body = request.body(), .headers = {}};
    for (const auto& field : request) out.headers[field.name_string()] = field.value();
    return out;
  }

  Handler handler_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> stays_ = asio::make_work_guard(context_);
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_;
  std::list<asio::ip::tcp::socket> streams_;
  NamedThread thread_;  // ends first
};

}  // namespace lo::cli::testing
