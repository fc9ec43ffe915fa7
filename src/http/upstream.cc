#include "http/upstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/parse.hpp>

#include "base/text.h"
#include "http/upstream_link.h"

namespace lo::http {
namespace {

namespace bhttp = boost::beast::http;
using ErrorCode = Link::ErrorCode;
using Parser = bhttp::response_parser<bhttp::buffer_body>;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds kWritePatience{30};
constexpr std::chrono::milliseconds kLook{500};
constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kWhole = 1 << 20;  // longer answers are streamed
constexpr std::uint32_t kHeaderLimit = 64 << 10;

// What is said between two ends of one connection, and what the first server has checked already.
constexpr std::array<std::string_view, 13> kOwnOfRequest{"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length",
                                                         "host", "expect", "origin", "sec-fetch-site", "referer"};
constexpr std::array<std::string_view, 8> kOwnOfResponse{"connection", "keep-alive", "proxy-connection", "trailer", "transfer-encoding", "upgrade", "content-length", "date"};

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lowered;
}

// Of a target in absolute form, which names the server that was asked first, path and query.
std::string_view origin_form(std::string_view target) {
  auto authority = target.starts_with('/') ? std::string_view::npos : target.find("://");
  if (authority == std::string_view::npos) return target;
  auto path = target.find('/', authority + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

bhttp::request_header<> header_for(const Request& request, const std::string& address) {
  bhttp::request_header<> header;
  header.version(11);
  header.method_string(request.method);
  header.target(origin_form(request.target));
  header.set(bhttp::field::host, address.substr(address.find("//") + 2));
  for (const auto& [name, value] : request.headers)
    if (std::ranges::find(kOwnOfRequest, name) == kOwnOfRequest.end()) header.insert(name, value);
  return header;
}

Awaitable<ErrorCode> write_whole(Link& link, const Request& request) {
  bhttp::request<bhttp::string_body> message(header_for(request, link.address()), request.body);
  if (!request.body.empty() || request.method != "GET") message.content_length(request.body.size());
  auto step = [&message](auto& stream) -> Awaitable<ErrorCode> {
    auto [error, bytes] = co_await bhttp::async_write(stream, message, kTuple);
    co_return error;
  };
  co_return co_await link.run(step, kWritePatience);
}

// The client's own failure ends the connection in the middle of the body, so that the other server does not take it for whole.
Awaitable<ErrorCode> write_stream(Link& link, Request& request) {
  bhttp::request<bhttp::buffer_body> message(header_for(request, link.address()));
  message.chunked(true);
  bhttp::request_serializer<bhttp::buffer_body> serializer(message);
  auto step = [&serializer](auto& stream) -> Awaitable<ErrorCode> {
    auto [error, bytes] = co_await bhttp::async_write(stream, serializer, kTuple);
    co_return error == bhttp::error::need_buffer ? ErrorCode() : error;
  };
  std::vector<char> piece(kPiece);
  for (;;) {
    auto read = co_await request.stream->read(piece);
    if (!read) co_return asio::error::connection_aborted;
    message.body() = {.data = *read == 0 ? nullptr : piece.data(), .size = *read, .more = *read > 0};
    auto error = co_await link.run(step, kWritePatience);
    if (error || *read == 0) co_return error;
  }
}

// An answer that is coming in.
struct Incoming {
  explicit Incoming(std::shared_ptr<Link> of) : link(std::move(of)) {}

  std::shared_ptr<Link> link;
  Parser parser;

  // At most `some.size()` bytes of the body; 0 at its end.
  Awaitable<std::pair<ErrorCode, std::size_t>> read(std::span<char> some) {
    auto& body = parser.get().body();
    body.data = some.data();
    body.size = some.size();
    auto step = [this](auto& stream) -> Awaitable<ErrorCode> {
      auto [error, bytes] = co_await bhttp::async_read_some(stream, link->buffer, parser, kTuple);
      co_return error == bhttp::error::need_buffer ? ErrorCode() : error;
    };
    ErrorCode error;
    while (!error && !parser.is_done() && body.size == some.size()) error = co_await link->run(step);
    co_return std::pair(error, some.size() - body.size);
  }

  // For the next request of the connection, where this one has left it clean.
  void give_back(std::shared_ptr<void>* kept) {
    if (kept != nullptr && parser.is_done() && parser.keep_alive()) *kept = link;
  }
};

Awaitable<ErrorCode> read_head(Incoming& incoming, bool is_head) {
  incoming.parser.header_limit(kHeaderLimit);
  incoming.parser.body_limit(boost::none);
  incoming.parser.skip(is_head);
  auto step = [&incoming](auto& stream) -> Awaitable<ErrorCode> {
    auto [error, bytes] = co_await bhttp::async_read_header(stream, incoming.link->buffer, incoming.parser, kTuple);
    co_return error;
  };
  co_return co_await incoming.link->run(step);
}

Response response_of(const Parser& parser) {
  Response response{.status = parser.get().result_int(), .headers = {}, .body = std::string()};
  for (const auto& field : parser.get())
    if (std::ranges::find(kOwnOfResponse, lower({field.name_string().data(), field.name_string().size()})) == kOwnOfResponse.end())
      response.headers.emplace_back(field.name_string(), field.value());
  return response;
}

// Cut off by an exception where the other server cuts it off.
StreamBody stream_of(std::shared_ptr<Incoming> incoming, std::shared_ptr<void>* kept) {
  return [incoming = std::move(incoming), kept](BodyWriter& writer) -> Awaitable<void> {
    std::vector<char> piece(kPiece);
    while (!incoming->parser.is_done()) {
      auto [error, bytes] = co_await incoming->read(piece);
      if (error) throw boost::system::system_error(error);
      if (!co_await writer.write({piece.data(), bytes})) co_return;
    }
    incoming->give_back(kept);
  };
}

Awaitable<Result<std::string>> read_whole(Incoming& incoming) {
  std::string body;
  std::vector<char> piece(kPiece);
  while (!incoming.parser.is_done()) {
    auto [error, bytes] = co_await incoming.read(piece);
    if (error) co_return fail(Error{.code = Code::io, .message = "the answer of the server that decides was cut off", .internal = error.message()});
    body.append(piece.data(), bytes);
  }
  co_return body;
}

Error lost(const Link& link, ErrorCode error) {
  return {.code = Code::io, .message = fmt::format("the server at {} was lost while it had the request", link.address()), .internal = error.message()};
}

// Until the connection is gone.
Awaitable<void> watch(std::weak_ptr<Link> watched, Upstream::IsRight is_right) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    timer.expires_after(kLook);
    co_await timer.async_wait(kTuple);
    auto link = watched.lock();
    if (!link) co_return;
    if (!is_right(link->address())) link->close();
  }
}

// A connection that the last request has left, or a new one.
Awaitable<Result<std::shared_ptr<Link>>> link_to(std::string address, Request& request, std::shared_ptr<asio::ssl::context> tls, Upstream::IsRight is_right) {
  if (request.kept != nullptr && *request.kept) {
    auto link = std::static_pointer_cast<Link>(std::exchange(*request.kept, nullptr));
    if (link->address() == address && link->is_open()) co_return link;
  }
  auto link = co_await Link::open(std::move(address), std::move(tls));
  if (link) asio::co_spawn(co_await asio::this_coro::executor, watch(*link, std::move(is_right)), asio::detached);
  co_return link;
}

Awaitable<Result<Response>> read_answer(std::shared_ptr<Incoming> incoming, bool is_head, std::shared_ptr<void>* kept) {
  auto error = co_await read_head(*incoming, is_head);
  if (error) co_return fail(lost(*incoming->link, error));
  auto response = response_of(incoming->parser);
  auto length = incoming->parser.content_length();
  if (is_head || (!incoming->parser.is_done() && (!length || *length > kWhole))) {
    response.body = stream_of(std::move(incoming), kept);
    co_return response;
  }
  auto body = co_await read_whole(*incoming);
  if (!body) co_return fail(body.error());
  response.body = *std::move(body);
  incoming->give_back(kept);
  co_return response;
}

}  // namespace

std::string is_server_address(const std::string& text) {
  auto url = boost::urls::parse_uri(text);
  auto known = url && (url->scheme_id() == boost::urls::scheme::http || url->scheme_id() == boost::urls::scheme::https);
  if (known && !url->host().empty() && url->port_number() != 0 && !url->has_userinfo() && url->encoded_resource().empty() && !url->has_fragment()) return "";
  return "\"" + printable(text.substr(0, 80)) + "\" is no address of a server, such as http://10.1.0.7:8000";
}

Result<Upstream> Upstream::make(const std::filesystem::path& certificate, IsRight is_right) {
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  tls->set_verify_mode(asio::ssl::verify_peer);
  if (certificate.empty()) return Upstream(std::move(tls), std::move(is_right));
  ErrorCode error;
  tls->load_verify_file(::X509_get_default_cert_file(), error);  // not all default places: OpenSSL 3.0 crashes when it looks for them beside Arrow's
  tls->load_verify_file(certificate, error);
  if (error) return fail(Code::unacceptable, fmt::format("{} cannot be used to know other servers by: {}", printable(certificate.string()), error.message()));
  return Upstream(std::move(tls), std::move(is_right));
}

// An answer may come, and the connection end, before all of the request is there: a failed write is none yet.
Awaitable<Result<Response>> Upstream::send_on(std::string address, Request& request) const {
  auto link = co_await link_to(std::move(address), request, tls_, is_right_);
  if (!link) co_return fail(link.error());
  auto incoming = std::make_shared<Incoming>(*link);
  auto written = request.stream != nullptr ? co_await write_stream(**link, request) : co_await write_whole(**link, request);
  if (written == asio::error::connection_aborted || written == boost::beast::error::timeout) co_return fail(lost(**link, written));
  co_return co_await read_answer(std::move(incoming), request.method == "HEAD", request.kept);
}

}  // namespace lo::http
