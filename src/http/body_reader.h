// The body of a request, pulled from its connection as the handler reads it: framing by Beast, limits by us. On the strand.
#pragma once

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <optional>

#include "http/guard.h"
#include "http/peer.h"
#include "http/server.h"

namespace lo::http {

using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

class PeerBodyReader final : public BodyReader {
 public:
  // `parser` has read the header. With `expects_continue`, "100 Continue" is sent before the first wait for bytes.
  PeerBodyReader(Peer& peer, Parser& parser, const ServerOptions& options, bool expects_continue);

  Awaitable<Result<std::size_t>> read(std::span<char> some) override;

  // The whole body, of at most `limit` bytes: Code::too_large above.
  Awaitable<Result<std::string>> read_all(std::size_t limit);

  // Whether nothing is left of the body, or so little that it is worth reading to keep the connection.
  bool can_drain() const;
  // Swallows what is left; false when it did not come.
  Awaitable<bool> drain();

  // What ended the body too early: to be answered, whatever the handler made of it. A status of 0: there is nobody to answer.
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  std::size_t parse();
  Awaitable<void> wait();
  std::chrono::milliseconds patience() const;
  void refuse(unsigned status, std::string detail);
  Error error() const;

  Peer& peer_;
  Parser& parser_;
  const ServerOptions& options_;
  bool expects_continue_;
  std::size_t received_ = 0;                      // bytes of body
  std::chrono::steady_clock::duration waited_{};  // for the client, in all
  std::optional<Refusal> refusal_;
};

}  // namespace lo::http
