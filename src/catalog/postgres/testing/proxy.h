// For tests: stands between a client and a PostgreSQL, on a Unix socket of its own, and cuts connections at chosen moments.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <list>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/mutex.h"
#include "base/named_thread.h"
#include "base/testing/temporary_folder.h"

namespace lo::catalog::postgres {

class Proxy {
 public:
  // Where a connection is cut: when the client sends something that holds `text`, …
  enum class Moment {
    before_sending,  // … which the server never gets
    after_sending,   // … which it gets
    after_answer,    // … which it has answered, but the client never hears of it
  };

  explicit Proxy(std::filesystem::path server) : server_(std::move(server)) { accept_again(); }
  ~Proxy() { refuse(); }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::string url(const std::string& database) const { return "postgresql://postgres@/" + database + "?host=" + folder_.path().string(); }

  // The next connection that sends the text; once.
  void cut(std::string text, Moment moment) {
    MutexLock lock(mutex_);
    rule_ = Rule{.text = std::move(text), .moment = moment, .then_refuse = 0};
  }
  // From the cut on each new connection is cut at once, until as many as that were.
  void cut_and_refuse(std::string text, Moment moment, int how_many) {
    MutexLock lock(mutex_);
    rule_ = Rule{.text = std::move(text), .moment = moment, .then_refuse = how_many};
  }
  bool has_cut() {
    MutexLock lock(mutex_);
    return !rule_;
  }

  // From now on there is no server: connections are cut and none is taken.
  void refuse() {
    ending_ = true;
    if (listening_) ::shutdown(listening_.get(), SHUT_RDWR);
    accepting_.reset();
    listening_.reset();
    connections_.clear();
    std::error_code ignored;
    std::filesystem::remove(path(), ignored);
  }
  void accept_again() {
    ending_ = false;
    listening_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto address = address_of(path());
    if (::bind(listening_.get(), as_socket(address), sizeof address) != 0 || ::listen(listening_.get(), 16) != 0) throw std::runtime_error("no proxy");
    accepting_.emplace("proxy", [this] { accept_all(); });
  }

 private:
  struct Rule {
    std::string text;
    Moment moment;
    int then_refuse;
  };

  static sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
  }
  static sockaddr* as_socket(sockaddr_un& address) { return reinterpret_cast<sockaddr*>(&address); }
  std::filesystem::path path() const { return folder_.path() / ".s.PGSQL.5432"; }

  void accept_all() {
    for (;;) {
      UniqueFd client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      if (is_refused()) continue;
      UniqueFd server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      auto address = address_of(server_);
      if (::connect(server.get(), as_socket(address), sizeof address) != 0) continue;
      connections_.emplace_back("proxied", [this, client = std::move(client), server = std::move(server)] { serve(client.get(), server.get()); });
    }
  }

  void serve(int client, int server) {
    std::optional<Moment> cutting;
    while (!ending_) {
      std::array<pollfd, 2> ends{pollfd{.fd = client, .events = POLLIN, .revents = 0}, pollfd{.fd = server, .events = POLLIN, .revents = 0}};
      constexpr int kLookMilliseconds = 20;  // at whether this is to end
      if (::poll(ends.data(), ends.size(), kLookMilliseconds) <= 0) continue;
      if (ends[0].revents != 0) {
        auto text = receive(client);
        if (text.empty()) break;
        if (!cutting) cutting = take_rule(text);
        if (cutting == Moment::before_sending || !pass(server, text) || cutting == Moment::after_sending) break;
      }
      if (ends[1].revents != 0) {
        auto text = receive(server);
        if (text.empty() || cutting == Moment::after_answer || !pass(client, text)) break;
      }
    }
    ::shutdown(client, SHUT_RDWR);
    ::shutdown(server, SHUT_RDWR);
  }

  bool is_refused() {
    MutexLock lock(mutex_);
    return refusing_ > 0 && refusing_-- > 0;
  }

  std::optional<Moment> take_rule(const std::string& text) {
    MutexLock lock(mutex_);
    if (!rule_ || !text.contains(rule_->text)) return std::nullopt;
    auto moment = rule_->moment;
    refusing_ = rule_->then_refuse;
    rule_.reset();
    return moment;
  }

  static std::string receive(int from) {
    std::string text(std::size_t{1} << 16U, '\0');
    auto count = ::recv(from, text.data(), text.size(), 0);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
  }
  static bool pass(int to, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
      auto count = ::send(to, text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (count <= 0) return false;
      done += static_cast<std::size_t>(count);
    }
    return true;
  }

  const std::filesystem::path server_;
  TemporaryFolder folder_;
  std::atomic<bool> ending_ = false;
  UniqueFd listening_;
  Mutex mutex_;
  std::optional<Rule> rule_ LO_GUARDED_BY(mutex_);
  int refusing_ LO_GUARDED_BY(mutex_) = 0;
  std::list<NamedThread> connections_;  // the accepting thread's, then of who has ended it
  std::optional<NamedThread> accepting_;
};

}  // namespace lo::catalog::postgres
