#include "http/wire.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffers_iterator.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/serializer.hpp>

namespace lo::http {
namespace {

namespace bhttp = boost::beast::http;
using Head = bhttp::response<bhttp::empty_body>;

// Added to each answer whose handler has not said otherwise.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kGuards{{
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Content-Security-Policy", "frame-ancestors 'none'"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
}};

bool is_token(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kOthers.contains(c);
  });
}

bool is_field_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

std::string http_date(std::time_t time) { return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(time)); }

void add_framing(Head& head, const Response& response, const HeadOptions& options) {
  const auto* whole = std::get_if<std::string>(&response.body);
  if (whole == nullptr && options.version >= 11) head.chunked(true);
  if (whole != nullptr && has_body(response.status)) head.content_length(whole->size());
  head.keep_alive(options.keep_alive);
}

std::string serialize(Head& head) {
  std::string text;
  bhttp::response_serializer<bhttp::empty_body> serializer(head);
  serializer.split(true);
  boost::system::error_code error;
  serializer.next(error, [&](boost::system::error_code&, const auto& buffers) {
    text.assign(asio::buffers_begin(buffers), asio::buffers_end(buffers));
  });
  return text;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lowered;
}

}  // namespace

Request to_request(const bhttp::request_header<>& header) {
  Request request;
  request.method = header.method_string();
  request.target = header.target();
  for (const auto& field : header)
    request.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}), field.value());
  return request;
}

Refusal refusal_of(boost::system::error_code parse_error) {
  if (parse_error == bhttp::error::header_limit) return {.status = 431, .detail = "the header is too large"};
  if (parse_error == bhttp::error::bad_version) return {.status = 505, .detail = "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {.status = 400, .detail = fmt::format("the request is not valid HTTP: {}", parse_error.message())};
}

bool has_body(unsigned status) { return status >= 200 && status != 204 && status != 304; }

std::string response_head(const Response& response, const HeadOptions& options) {
  Head head;
  head.version(options.version);
  head.result(response.status);
  for (const auto& [name, value] : response.headers) {
    if (!is_token(name) || !is_field_value(value)) return {};
    head.insert(name, value);
  }
  for (const auto& [name, value] : kGuards)
    if (head.find(name) == head.end()) head.insert(name, value);
  head.set(bhttp::field::date, http_date(options.date));
  add_framing(head, response, options);
  return serialize(head);
}

}  // namespace lo::http
