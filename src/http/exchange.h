// One request and its answer on a connection. On the connection's strand.
#pragma once

#include <optional>

#include "http/body_reader.h"
#include "http/guard.h"
#include "http/life.h"
#include "http/peer.h"
#include "http/router.h"
#include "http/server.h"
#include "http/target.h"

namespace lo::http {

// What all connections of a server share: constant once it has started.
struct Context {
  const Router& router;
  ServerOptions options;
  Locality here;
  Server::Observer observer;  // may be empty
};

class Exchange {
 public:
  Exchange(const Context& context, Peer& peer, Life& life, std::shared_ptr<void>& kept);

  enum class After { next_request, close, gone };  // gone: nobody is there to read what was left unsaid

  // Reads a request, of which the first byte must come within `first_byte`, has it answered, and sends the answer.
  Awaitable<After> serve(std::chrono::milliseconds first_byte);

 private:
  Awaitable<Checked> read_header(std::chrono::milliseconds first_byte);
  Refusal read_failure(Peer::ErrorCode error) const;
  std::expected<Target, Refusal> admit();
  std::optional<Response> find_route(const Target& target);
  std::optional<Response> ask_for_token(const Route* route);
  Response no_route(const Error& error, std::string allowed) const;
  Awaitable<Response> answer(const Target& target);
  Awaitable<Response> call_handler();
  Awaitable<After> refuse(const Refusal& refusal);
  Awaitable<After> send(Response response, bool keep_alive);
  void observe(unsigned status) const;

  const Context& context_;
  Peer& peer_;
  Life& life_;
  std::shared_ptr<void>& kept_;
  Parser parser_;
  Request request_;
  Match match_;
  std::optional<PeerBodyReader> body_;  // once there is a header
  std::chrono::steady_clock::time_point start_;
};

}  // namespace lo::http
