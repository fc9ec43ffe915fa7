// For tests: a server on a free port of the loopback with two I/O threads, and a client that sends bytes as it is told.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "http/server.h"

namespace lo::http {

// Waits are bounded, so that a test fails and does not hang.
inline constexpr std::chrono::seconds kPatience{20};

using Reply = boost::beast::http::response<boost::beast::http::string_body>;

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }

  // False once the server does not take it any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Ends our side only.
  void finish() { ::shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_ = UniqueFd(); }

  // The next bytes; "" at the end, "<reset>" or "<timeout>" when there are none for another reason.
  std::string read_some() {
    char bytes[4096];
    auto got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got > 0) return {bytes, static_cast<std::size_t>(got)};
    if (got == 0) return "";
    return errno == ECONNRESET ? "<reset>" : "<timeout>";
  }

  // Whether the server ends the connection now, without another byte.
  bool closed() { return kept_.empty() && read_some().empty(); }

  // Reads on until `text` has come; gives all up to its end.
  std::string read_until(std::string_view text) {
    while (!kept_.contains(text)) {
      auto more = read_some();
      if (more.empty() || more.starts_with("<")) return std::exchange(kept_, "") + "<end>" + more;
      kept_ += more;
    }
    auto end = kept_.find(text) + text.size();
    auto read = kept_.substr(0, end);
    kept_.erase(0, end);
    return read;
  }

  // The next whole reply; a status of 599 when none comes.
  Reply reply(bool to_head = false) {
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.skip(to_head);
    parser.eager(true);
    boost::system::error_code error;
    while (!parser.is_done()) {
      auto used = kept_.empty() ? 0 : parser.put(boost::asio::buffer(kept_), error);
      kept_.erase(0, used);
      if (parser.is_done()) break;
      auto more = read_some();
      if (more.empty()) parser.is_header_done() ? parser.put_eof(error) : void(error = boost::asio::error::eof);
      if (more.starts_with("<") || (more.empty() && error)) return Reply(static_cast<boost::beast::http::status>(599), 11);
      kept_ += more;
    }
    return parser.release();
  }

 private:
  UniqueFd fd_;
  bool connected_ = false;
  std::string kept_;
};

class ServerTest : public testing::Test {
 protected:
  // Adds a route before start().
  Route& add(std::string method, std::string pattern, Handler handler) {
    routes_.push_back({.method = std::move(method), .pattern = std::move(pattern), .handler = std::move(handler)});
    return routes_.back();
  }

  void start() {
    for (auto& route : routes_) router_.add(route);
    server_ = std::make_unique<Server>(io_.get_executor(), router_, options_);
    server_->on_answer([this](std::string_view method, std::string_view pattern, unsigned status, double seconds) {
      EXPECT_GE(seconds, 0);
      std::lock_guard lock(mutex_);
      answers_.push_back(fmt::format("{} {} {}", method, pattern, status));
    });
    auto started = server_->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
  }

  // Stops the server and waits until it says that it is done.
  bool stop(std::chrono::milliseconds grace = std::chrono::milliseconds(0)) {
    auto done = std::make_shared<std::promise<void>>();
    auto future = done->get_future();
    server_->stop(grace, [done] { done->set_value(); });
    return future.wait_for(kPatience) == std::future_status::ready;
  }

  void TearDown() override {
    if (server_ && !threads_.empty()) {
      EXPECT_TRUE(stop());
    }
    server_.reset();
    work_.reset();
    threads_.clear();
  }

  RawClient connect() { return RawClient(server_->port()); }

  // One request over a connection of its own.
  Reply ask(std::string_view bytes) {
    auto client = connect();
    client.send(bytes);
    return client.reply(bytes.starts_with("HEAD"));
  }

  // "GET /path" with the headers that every request must have, and `more`, lines that end with CRLF.
  std::string request(std::string_view line, std::string_view more = "", std::string_view body = "") const {
    return fmt::format("{} HTTP/1.1\r\nHost: localhost:{}\r\n{}\r\n{}", line, server_->port(), more, body);
  }
  std::string post(std::string_view path, std::string_view body) const {
    return request(fmt::format("POST {}", path),
                   fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size()), body);
  }

  std::vector<std::string> answers() {
    std::lock_guard lock(mutex_);
    return answers_;
  }

  ServerOptions options_{.port = 0};
  asio::io_context io_;
  Router router_;
  std::unique_ptr<Server> server_;

 private:
  std::vector<Route> routes_;
  std::mutex mutex_;
  std::vector<std::string> answers_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::vector<std::jthread> threads_;
};

// Says what it was asked.
inline Awaitable<Response> echo(Request& request) {
  auto text = fmt::format("{} {} {}", request.method, request.path, request.body);
  for (const auto& [name, value] : request.parameters) text += fmt::format(" {{{}={}}}", name, value);
  for (const auto& [name, value] : request.query) text += fmt::format(" ?{}={}", name, value);
  co_return text_response(200, "text/plain", text);
}

}  // namespace lo::http
