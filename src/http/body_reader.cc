#include "http/body_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/wire.h"

namespace lo::http {
namespace {

namespace bhttp = boost::beast::http;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::size_t kFirstPiece = 16 << 10;
constexpr std::size_t kMostDrained = 64 << 10;

}  // namespace

PeerBodyReader::PeerBodyReader(Peer& peer, Parser& parser, const ServerOptions& options, bool expects_continue)
    : peer_(peer), parser_(parser), options_(options), expects_continue_(expects_continue) {}

Awaitable<Result<std::size_t>> PeerBodyReader::read(std::span<char> some) {
  auto& body = parser_.get().body();
  body.data = some.data();
  body.size = some.size();
  std::size_t bytes = 0;
  while (!some.empty() && bytes == 0 && !refusal_ && !parser_.is_done()) {
    bytes = parse();
    if (bytes == 0 && !refusal_ && !parser_.is_done()) co_await wait();
  }
  if (bytes == 0 && refusal_) co_return fail(error());
  co_return bytes;
}

// Feeds the parser with what has been received; gives how many bytes of body came of it.
std::size_t PeerBodyReader::parse() {
  auto& body = parser_.get().body();
  auto room = body.size;
  boost::system::error_code error;
  while (!error && !parser_.is_done() && body.size > 0 && peer_.received().size() > 0)
    peer_.consume(parser_.put(peer_.received(), error));
  if (error && error != bhttp::error::need_more && error != bhttp::error::need_buffer) refusal_ = refusal_of(error);
  received_ += room - body.size;
  return room - body.size;
}

// Awaits bytes of the client, no longer than its patience lasts.
Awaitable<void> PeerBodyReader::wait() {
  if (std::exchange(expects_continue_, false) && peer_.received().size() == 0) {
    const Peer::Pieces go_on{asio::buffer(kContinue)};
    co_await peer_.write(go_on, options_.write_timeout);
  }
  auto start = SteadyClock::now();
  peer_.expire_after(patience());
  auto error = co_await peer_.more();
  waited_ += SteadyClock::now() - start;
  if (error && peer_.expired())
    refuse(408, "the body came too slowly");
  else if (error == asio::error::eof)
    refuse(400, fmt::format("the body ended after {} bytes, before its announced end", received_));
  else if (error == asio::error::no_buffer_space)
    refuse(400, "the body has a chunk header or a trailer that is too long");
  else if (error)
    refuse(0, "the client closed the connection");
  peer_.never_expire();
}

// How long to wait now: body_timeout, and in all no longer than body_timeout and what the bytes so far have earned.
std::chrono::milliseconds PeerBodyReader::patience() const {
  auto earned = std::chrono::milliseconds(received_ * 1000 / std::max<std::size_t>(options_.body_rate, 1));
  auto left = options_.body_timeout + earned - std::chrono::duration_cast<std::chrono::milliseconds>(waited_);
  return std::clamp(left, std::chrono::milliseconds(0), options_.body_timeout);
}

void PeerBodyReader::refuse(unsigned status, std::string detail) { refusal_ = {.status = status, .detail = std::move(detail)}; }

Error PeerBodyReader::error() const {
  auto code = refusal_->status == 408 ? Code::timeout : Code::io;
  return {.code = code, .message = refusal_->detail};
}

Awaitable<Result<std::string>> PeerBodyReader::read_all(std::size_t limit) {
  auto too_large = [&] { return fail(Code::too_large, fmt::format("the body is larger than {} bytes", limit)); };
  if (parser_.content_length().value_or(0) > limit) co_return too_large();
  std::string body;
  std::size_t used = 0;
  while (!parser_.is_done()) {
    if (used == body.size()) body.resize(std::max(kFirstPiece, used * 2));
    auto bytes = co_await read({body.data() + used, body.size() - used});
    if (!bytes) co_return fail(bytes.error());
    used += *bytes;
    if (used > limit) co_return too_large();
  }
  body.resize(used);
  co_return body;
}

bool PeerBodyReader::can_drain() const {
  if (parser_.is_done()) return true;
  return !expects_continue_ && !refusal_ && parser_.content_length_remaining().value_or(kMostDrained + 1) <= kMostDrained;
}

Awaitable<bool> PeerBodyReader::drain() {
  auto rest = co_await read_all(kMostDrained);
  co_return rest.has_value();
}

}  // namespace lo::http
