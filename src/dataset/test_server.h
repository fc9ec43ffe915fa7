// A web server for tests that answers with whatever bytes it is told to, right or wrong.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <istream>
#include <map>
#include <string>
#include <vector>

#include "base/async.h"

namespace lo::dataset {

class TestServer {
 public:
  // What to send for a path, or for "PATH bytes=N-" where that is there and asked for; the connection is closed then. One that begins with kHold is sent and the connection held open.
  using Answers = std::map<std::string, std::string>;
  static constexpr std::string_view kHold = "HOLD ";

  explicit TestServer(Answers answers)
      : answers_(std::move(answers)), acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
    accept();
    pool_.post([this] { context_.run(); });
  }
  ~TestServer() { context_.stop(); }  // the pool, declared last, joins first
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  void set(const std::string& path, std::string answer) {
    asio::post(context_, [this, path, answer = std::move(answer)]() mutable { answers_[path] = std::move(answer); });
  }

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + path;
  }

 private:
  using Socket = asio::ip::tcp::socket;

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Socket socket) {
      if (!error) answer(std::move(socket));
      if (!error) accept();
    });
  }

  void answer(Socket socket) {
    boost::system::error_code ignored;
    asio::streambuf request;
    asio::read_until(socket, request, "\r\n\r\n", ignored);
    std::string_view text = answers_[key_of(request)];
    bool hold = text.starts_with(kHold);
    if (hold) text.remove_prefix(kHold.size());
    asio::write(socket, asio::buffer(text), ignored);
    if (hold)
      held_.push_back(std::move(socket));
    else
      socket.shutdown(Socket::shutdown_both, ignored);
  }

  std::string key_of(asio::streambuf& request) const {
    std::istream lines(&request);
    std::string method, target, line;
    lines >> method >> target;
    while (std::getline(lines, line) && line != "\r")
      if (line.starts_with("Range: ") && answers_.contains(target + " " + line.substr(7, line.size() - 8))) return target + " " + line.substr(7, line.size() - 8);
    return target;
  }

  Answers answers_;
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  std::vector<Socket> held_;
  BlockingPool pool_{1};
};

inline std::string ok(const std::string& body, const std::string& type = "text/csv") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace lo::dataset
