// HTTP/1.1 on Boost.Beast coroutines. One strand per connection; handlers run on it and must not block.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/current.h"
#include "http/router.h"
#include "http/tls.h"
#include "http/tokens.h"

namespace lo::http {

// Who may connect.
struct Access {
  // Each may get another value while the server runs: it counts from the next request, and the next connection, on.
  std::shared_ptr<Current<const Tokens>> tokens = {};  // every request brings one of them, save to routes that are open; null: none is asked for
  std::shared_ptr<Current<TlsContext>> tls = {};       // null: plain HTTP is spoken
  bool behind_proxy = false;                           // a proxy speaks TLS to the clients
  std::vector<std::string> hosts = {};                 // values of Host besides those of this machine; see Locality::names
};

struct ServerOptions {
  std::string host = "127.0.0.1";        // anything but loopback without tokens: refused with Code::forbidden
  Access access = {};
  std::uint16_t port = 8000;             // 0: any free one
  std::size_t body_limit = 16u << 20;    // bytes; 413 above
  std::size_t header_limit = 32u << 10;  // bytes; 431 above
  std::chrono::milliseconds header_timeout{15'000};  // to send a whole header; 408 after it
  std::chrono::milliseconds body_timeout{60'000};    // without a byte of the body; 408 after it
  std::size_t body_rate = 1024;  // bytes/s: all the waiting for a body, less body_timeout, must keep up with it
  std::chrono::milliseconds write_timeout{60'000};  // without the client taking a byte of the answer
  std::chrono::milliseconds idle_timeout{75'000};   // between requests
  std::size_t max_connections = 4096;               // more wait in the kernel's queue
};

class Server {
 public:
  // `router` outlives the server, and so does what runs `executor`: stop() and its `done` come before their end.
  Server(asio::any_io_executor executor, const Router& router, ServerOptions options);
  ~Server();

  // Binds and begins to accept. Code::forbidden, or Code::io naming host and port when the bind fails.
  Status start();
  std::uint16_t port() const;  // the bound one

  // Stops accepting, closes idle connections and ends streams at once, lets running requests end for at most `grace`, then
  // cancels them. Calls done when the last coroutine has ended; a handler that does not end even when cancelled is waited for
  // one more second, and logged. Any thread; a second call may shorten the grace. The destructor stops with no grace.
  void stop(std::chrono::milliseconds grace, std::move_only_function<void()> done);

  // Is told of each answer that was sent, on the connection's strand: the verb ("OTHER" for one that HTTP does not know), the
  // pattern of the route ("" when none matched), the status, and the seconds from the end of the header.
  using Observer = std::function<void(std::string_view method, std::string_view pattern, unsigned status, double seconds)>;
  void on_answer(Observer observer);  // before start()

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lo::http
