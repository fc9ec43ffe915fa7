// One client: reads its requests one after the other until it leaves, errs, or the server stops. Everything on its strand.
//
// Cancelling. The whole connection is one coroutine with one cancellation slot (Life). The Peer tells Life that the client has
// left, the server tells it to drain or abort; Life emits, on the strand, at most once. A cancelled coroutine never goes on to
// another request, so nothing has to be put back, except to write the end of a stream (answer.cc).
#pragma once

#include <memory>

#include "http/exchange.h"

namespace lo::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // The transport's executor is the strand. `context` lives as long as the server's shared state.
  Connection(std::shared_ptr<const Context> context, Transport transport);

  // Serves the client; `ended` is called on the strand once, when no coroutine of it is left. Any thread.
  void start(std::move_only_function<void()> ended);

  void drain();  // closes when idle, ends a stream, else lets the request end. Any thread.
  void abort();  // cancels whatever runs. Any thread.

 private:
  Awaitable<void> run();
  Awaitable<bool> serve_all();

  const std::shared_ptr<const Context> context_;
  const asio::any_io_executor strand_;
  const std::shared_ptr<Peer> peer_;
  Life life_;
  std::shared_ptr<void> kept_;  // by handlers, from one request to the next
};

}  // namespace lo::http
