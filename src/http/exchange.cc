#include "http/exchange.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "http/answer.h"
#include "http/target.h"
#include "http/wire.h"

namespace lo::http {
namespace {

namespace bhttp = boost::beast::http;

constexpr unsigned kNobody = 0;  // the status of a refusal that nobody is there to read

std::unexpected<Refusal> refused(unsigned status, std::string detail) {
  return std::unexpected(Refusal{.status = status, .detail = std::move(detail)});
}

std::unexpected<Refusal> refused(const Error& error) { return refused(status_of(error.code), error.message); }

Response options_response(std::string allowed) {
  return {.status = 204, .headers = {{"Allow", std::move(allowed)}}, .body = std::string()};
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

}  // namespace

Exchange::Exchange(const Context& context, Peer& peer, Life& life, std::shared_ptr<void>& kept) : context_(context), peer_(peer), life_(life), kept_(kept) {
  parser_.header_limit(static_cast<std::uint32_t>(context.options.header_limit));
  parser_.body_limit(boost::none);  // what a route takes is known later, and counted by the reader
}

Awaitable<Exchange::After> Exchange::serve(std::chrono::milliseconds first_byte) {
  auto header = co_await read_header(first_byte);
  start_ = std::chrono::steady_clock::now();
  if (!header) co_return co_await refuse(header.error());
  request_ = to_request(parser_.get());
  request_.kept = &kept_;
  bool expects_continue = parser_.get().version() >= 11 && request_.header("expect").has_value();
  body_.emplace(peer_, parser_, context_.options, expects_continue);
  auto target = admit();
  if (!target) co_return co_await refuse(target.error());
  auto response = co_await answer(*target);
  if (body_->refusal()) co_return co_await refuse(*body_->refusal());
  bool keep_alive = parser_.keep_alive() && body_->can_drain() && !life_.draining();
  co_return co_await send(std::move(response), keep_alive);
}

Awaitable<Checked> Exchange::read_header(std::chrono::milliseconds first_byte) {
  peer_.expire_after(first_byte);
  bool began = false;
  while (!parser_.is_header_done()) {
    if (peer_.received().size() > 0) {
      boost::system::error_code error;
      peer_.consume(parser_.put(peer_.received(), error));
      if (!error) continue;
      if (error != bhttp::error::need_more) co_return std::unexpected(refusal_of(error));
      if (!std::exchange(began, true)) peer_.expire_after(context_.options.header_timeout);
    }
    auto error = co_await peer_.more();
    if (error && !began) co_return refused(kNobody, "");
    if (error) co_return std::unexpected(read_failure(error));
  }
  peer_.never_expire();
  life_.begin_request();
  co_return Checked();
}

// What a header that is cut short by `error` means.
Refusal Exchange::read_failure(Peer::ErrorCode error) const {
  if (peer_.expired()) return {.status = 408, .detail = "the header came too slowly"};
  if (error == asio::error::no_buffer_space) return {.status = 431, .detail = "the header is too large"};
  if (error == asio::error::eof) return {.status = 400, .detail = "the request ends within its header"};
  return {.status = kNobody, .detail = ""};
}

// Whether the request may come in at all; takes its target apart.
std::expected<Target, Refusal> Exchange::admit() {
  auto framing = check_framing(request_, parser_.get().version());
  if (!framing) return std::unexpected(framing.error());
  auto target = split_target(request_.target);
  if (!target) return refused(target.error());
  auto host = check_host(request_, target->authority, context_.here);
  if (!host) return std::unexpected(host.error());
  auto origin = check_origin(request_, context_.here);
  if (!origin) return std::unexpected(origin.error());
  auto query = parse_query(target->query);
  if (!query) return refused(query.error());
  request_.query = *std::move(query);
  return *target;
}

// Finds the route, or the answer when no handler is needed for it.
std::optional<Response> Exchange::find_route(const Target& target) {
  std::string allowed;
  auto match = context_.router.match(request_.method, target.path, &allowed);
  if (auto unknown = ask_for_token(match ? match->route : nullptr)) return unknown;
  if (target.path == "*" && request_.method == "OPTIONS") return options_response("GET, HEAD, POST, PATCH, DELETE, OPTIONS");
  if (!match) return no_route(match.error(), std::move(allowed));
  match_ = *std::move(match);
  request_.path = decode_path(target.path);
  request_.parameters = std::move(match_.parameters);
  auto media = check_media(request_, *match_.route, !parser_.is_done());
  if (!media) return problem_response(media.error().status, media.error().detail, request_.target);
  return std::nullopt;
}

// The answer to who has none; learns whose it is else.
std::optional<Response> Exchange::ask_for_token(const Route* route) {
  const auto& tokens = context_.options.access.tokens;
  if (tokens == nullptr || (route != nullptr && route->open)) return std::nullopt;
  auto owner = check_token(request_, *tokens->get());
  if (!owner) {
    auto response = problem_response(owner.error().status, owner.error().detail, request_.target);
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"orchestra\"");
    return response;
  }
  request_.user = *std::move(owner);
  return std::nullopt;
}

Response Exchange::no_route(const Error& error, std::string allowed) const {
  if (error.code == Code::not_allowed && request_.method == "OPTIONS") return options_response(std::move(allowed));
  auto response = problem_response(error, request_.target);
  if (error.code == Code::not_allowed) response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

Awaitable<Response> Exchange::answer(const Target& target) {
  auto early = find_route(target);
  if (early) co_return *std::move(early);
  if (match_.route->streams_body) {
    request_.stream = &*body_;
  } else {
    auto body = co_await body_->read_all(context_.options.body_limit);
    if (!body) co_return problem_response(body.error(), request_.target);
    request_.body = *std::move(body);
    peer_.watch([this] { life_.client_left(); });
  }
  co_return co_await call_handler();
}

Awaitable<Response> Exchange::call_handler() {
  request_.on_allow_cancel = [this] { life_.allow_cancel(); };
  life_.begin_handler(is_safe(request_.method));
  std::string what;
  try {
    co_return co_await match_.route->handler(request_);
  } catch (const std::exception& exception) {
    if (life_.cancelled()) throw;
    what = exception.what();
  } catch (...) {
    if (life_.cancelled()) throw;
    what = "an exception of unknown type";
  }
  log::error("http: the handler of {} {} threw: {}", request_.method, match_.route->pattern, printable(what, 1000));
  co_return problem_response(500, "the server failed on this request; its log says why", request_.target);
}

// Answers what ends the connection.
Awaitable<Exchange::After> Exchange::refuse(const Refusal& refusal) {
  if (refusal.status == kNobody) co_return After::gone;
  auto instance = split_target(request_.target) ? request_.target : std::string();
  co_return co_await send(problem_response(refusal.status, refusal.detail, instance), false);
}

Awaitable<Exchange::After> Exchange::send(Response response, bool keep_alive) {
  AnswerOptions options{.version = std::max(parser_.get().version(), 10u),
                        .keep_alive = keep_alive,
                        .head = request_.method == "HEAD",
                        .stall = context_.options.write_timeout};
  bool streams = std::holds_alternative<StreamBody>(response.body);
  if (streams && options.version < 11) options.keep_alive = false;  // without chunks only the close ends a body
  if (!streams) peer_.unwatch();                                    // who only ended its side, as `nc -N` does, still reads
  auto sent = co_await send_answer(peer_, life_, response, options);
  peer_.unwatch();
  life_.end_answer();
  observe(response.status);
  if (!sent || life_.cancelled()) co_return sent ? After::close : After::gone;
  if (!options.keep_alive || life_.draining()) co_return After::close;
  if (parser_.is_done()) co_return After::next_request;
  auto drained = co_await body_->drain();
  co_return drained ? After::next_request : After::close;
}

void Exchange::observe(unsigned status) const {
  if (!context_.observer) return;
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start_;
  bool known = bhttp::string_to_verb(request_.method) != bhttp::verb::unknown;
  std::string_view pattern = match_.route == nullptr ? std::string_view() : match_.route->pattern;
  context_.observer(known ? std::string_view(request_.method) : "OTHER", pattern, status, seconds.count());
}

}  // namespace lo::http
