#include "http/answer.h"

#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "base/log.h"

namespace lo::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

class PeerBodyWriter final : public BodyWriter {
 public:
  PeerBodyWriter(Peer& peer, const AnswerOptions& options) : peer_(peer), options_(options) {}

  Awaitable<bool> write(std::string_view chunk) override {
    if (chunk.empty()) co_return peer_.whole();
    auto size = fmt::format("{:x}\r\n", chunk.size());
    Peer::Pieces pieces{asio::buffer(chunk)};
    if (options_.version >= 11) pieces = {asio::buffer(size), asio::buffer(chunk), asio::buffer(kLineEnd)};
    co_return co_await peer_.write(pieces, options_.stall);
  }

 private:
  Peer& peer_;
  const AnswerOptions& options_;
};

std::string head_of(Response& response, const AnswerOptions& options) {
  HeadOptions head{.version = options.version, .keep_alive = options.keep_alive, .date = std::time(nullptr)};
  auto text = response_head(response, head);
  if (!text.empty()) return text;
  log::error("http: a handler's response has a header that cannot be sent");
  response = problem_response(500, "the server made an answer that cannot be sent", "");
  return response_head(response, head);
}

// Runs the stream; gives whether it came to its end.
Awaitable<bool> run_stream(Peer& peer, Life& life, StreamBody& body, const AnswerOptions& options) {
  std::string what;
  try {
    PeerBodyWriter writer(peer, options);
    co_await body(writer);
    co_return true;
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
    what = "an exception of unknown type";
  }
  if (!life.cancelled()) log::error("http: a stream was cut off: {}", what);
  co_return false;
}

Awaitable<bool> send_stream(Peer& peer, Life& life, StreamBody& body, const AnswerOptions& options) {
  life.begin_stream();
  auto ended = co_await run_stream(peer, life, body, options);
  // What cancelled the stream is done with; else the next co_await would throw.
  if (life.cancelled()) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (!ended && !life.only_drained()) co_return false;
  if (options.version < 11) co_return peer.whole();
  const Peer::Pieces last{asio::buffer(kLastChunk)};
  co_return co_await peer.write(last, options.stall);
}

}  // namespace

Awaitable<bool> send_answer(Peer& peer, Life& life, Response& response, AnswerOptions options) {
  auto head = head_of(response, options);
  Peer::Pieces pieces{asio::buffer(head)};
  const auto* whole = std::get_if<std::string>(&response.body);
  if (whole != nullptr && has_body(response.status) && !options.head) pieces[1] = asio::buffer(*whole);
  auto sent = co_await peer.write(pieces, options.stall);
  if (!sent || whole != nullptr || options.head) co_return sent;
  co_return co_await send_stream(peer, life, std::get<StreamBody>(response.body), options);
}

}  // namespace lo::http
