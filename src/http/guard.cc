#include "http/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/url/authority_view.hpp>
#include <vector>

#include "base/text.h"

namespace lo::http {
namespace {

std::unexpected<Refusal> refuse(unsigned status, std::string detail) {
  return std::unexpected(Refusal{.status = status, .detail = std::move(detail)});
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return lowered;
}

std::vector<std::string_view> all_of(const Request& request, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : request.headers)
    if (key == name) values.push_back(value);
  return values;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

struct Address {
  std::string host;
  std::string port;
  bool operator==(const Address&) const = default;
};

// "localhost:8000" in parts, `default_port` where it names none; no host when it is no plain authority.
Address read_address(std::string_view authority, std::string_view default_port) {
  auto parsed = boost::urls::parse_authority({authority.data(), authority.size()});
  if (!parsed || parsed->has_userinfo() || authority.ends_with(':')) return {};
  auto port = parsed->has_port() ? std::string_view(parsed->port().data(), parsed->port().size()) : default_port;
  return {.host = lower({parsed->encoded_host().data(), parsed->encoded_host().size()}), .port = std::string(port)};
}

bool is_local(std::string_view authority, const Locality& here) {
  auto address = read_address(authority, std::to_string(here.port));
  std::array<std::string, 5> names{"localhost", "127.0.0.1", "[::1]", here.host, "[" + here.host + "]"};
  return std::ranges::find(names, address.host) != names.end() && address.port == std::to_string(here.port);
}

bool is_named(std::string_view authority, const Locality& here) {
  return std::ranges::any_of(here.names, [&](const std::string& name) {
    auto wanted = read_address(name, "");
    auto given = read_address(authority, "");
    return !given.host.empty() && given.host == wanted.host && (wanted.port.empty() || given.port == wanted.port);
  });
}

// Whether a page of this origin is one of the server that `host`, a Host, names.
bool is_same(std::string_view origin, std::string_view host, const Locality& here) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kSchemes{{{"http://", "80"}, {"https://", "443"}}};
  return std::ranges::any_of(kSchemes, [&](const auto& scheme) {
    const auto& [prefix, port] = scheme;
    if (!here.behind_proxy && here.tls != (port == "443")) return false;
    if (!origin.starts_with(prefix)) return false;
    auto server = read_address(host, here.behind_proxy ? port : std::string_view(std::to_string(here.port)));
    return !server.host.empty() && read_address(origin.substr(prefix.size()), port) == server;
  });
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

// The type of "Application/JSON; charset=utf-8": "application/json".
std::string media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return lower(type);
}

bool takes(const Route& route, const std::string& type) {
  static constexpr std::array<std::string_view, 3> kUnasked{"text/plain", "application/x-www-form-urlencoded",
                                                            "multipart/form-data"};
  const auto& types = route.content_types;
  if (std::ranges::find(types, type) != types.end()) return true;
  bool any = std::ranges::find(types, "*") != types.end();
  return any && !type.empty() && std::ranges::find(kUnasked, type) == kUnasked.end();
}

}  // namespace

Checked check_framing(const Request& request, unsigned version) {
  auto lengths = all_of(request, "content-length");
  auto codings = all_of(request, "transfer-encoding");
  if (!lengths.empty() && !codings.empty()) return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
  if (lengths.size() > 1) return refuse(400, "there is more than one Content-Length");
  if (!lengths.empty() && !all_digits(lengths.front()))
    return refuse(400, fmt::format("the Content-Length \"{}\" is not a number", printable(lengths.front())));
  if (!codings.empty() && (codings.size() > 1 || lower(codings.front()) != "chunked" || version < 11))
    return refuse(400, fmt::format("the Transfer-Encoding \"{}\" is refused: only chunked, once", printable(codings.front())));
  for (auto expectation : all_of(request, "expect"))
    if (lower(expectation) != "100-continue")
      return refuse(417, fmt::format("the expectation \"{}\" is unknown", printable(expectation)));
  return {};
}

Checked check_host(const Request& request, std::string_view authority, const Locality& here) {
  auto hosts = all_of(request, "host");
  if (hosts.size() != 1) return refuse(400, fmt::format("there must be one Host, not {}", hosts.size()));
  if (!authority.empty()) hosts.push_back(authority);
  for (auto name : hosts)
    if (!is_local(name, here) && !is_named(name, here))
      return refuse(403, fmt::format("the host \"{}\" is not this server: use localhost:{}, or start it with this name as allowed", printable(name), here.port));
  return {};
}

Checked check_origin(const Request& request, const Locality& here) {
  for (auto origin : all_of(request, "origin"))
    if (!is_same(origin, request.header("host").value_or(""), here))
      return refuse(403, fmt::format("the origin \"{}\" is not this server", printable(origin)));
  auto site = request.header("sec-fetch-site").value_or("none");
  if (!is_safe(request.method) && site != "none" && site != "same-origin")
    return refuse(403, fmt::format("{} from another site is refused", printable(request.method)));
  return {};
}

bool is_host_value(std::string_view text) { return !read_address(text, "").host.empty(); }

std::expected<std::string, Refusal> check_token(const Request& request, const Tokens& tokens) {
  constexpr std::string_view kScheme = "bearer ";
  auto given = all_of(request, "authorization");
  if (given.empty()) return refuse(401, "a token is needed: send it as Authorization: Bearer <token>");
  auto value = given.front();
  if (given.size() > 1 || lower(value.substr(0, kScheme.size())) != kScheme) return refuse(401, "the Authorization is none: send Bearer and one token");
  auto owner = tokens.owner_of(value.substr(kScheme.size()));
  if (!owner) return refuse(401, "the token is unknown");
  return std::string(*owner);
}

Checked check_media(const Request& request, const Route& route, bool has_body) {
  auto given = all_of(request, "content-type");
  if (given.size() > 1) return refuse(400, "there is more than one Content-Type");
  if (given.empty() && !has_body) return {};
  auto wanted = fmt::format("{}", fmt::join(route.content_types, " or "));
  if (given.empty()) return refuse(415, fmt::format("the body has no Content-Type: send {}", wanted));
  if (takes(route, media_type(given.front()))) return {};
  return refuse(415, fmt::format("the Content-Type \"{}\" is not taken here: send {}", printable(given.front()), wanted));
}

}  // namespace lo::http
