#include "http/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/pct_string_view.hpp>

#include "base/text.h"

namespace lo::http {
namespace {

namespace urls = boost::urls;

std::unexpected<Error> refuse(std::string_view what, std::string_view value, std::string_view why) {
  return fail(Code::malformed, fmt::format("the {} \"{}\" {}", what, printable(value), why));
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Result<std::string> decode(std::string_view what, std::string_view encoded, bool plus_is_space) {
  auto escaped = urls::make_pct_string_view({encoded.data(), encoded.size()});
  if (!escaped) return refuse(what, encoded, "has a broken percent-escape");
  auto text = escaped->decode(urls::encoding_opts(plus_is_space), urls::string_token::return_string());
  if (text.contains('\0')) return refuse(what, encoded, "holds a NUL");
  if (to_utf8(text) != text) return refuse(what, encoded, "is not UTF-8");
  return text;
}

Result<std::string> decode_segment(std::string_view encoded) {
  LO_ASSIGN(auto segment, decode("path segment", encoded, false));
  if (segment.empty()) return refuse("path", "", "has an empty segment");
  if (segment == "." || segment == "..") return refuse("path segment", encoded, "is refused");
  if (std::ranges::any_of(segment, is_control)) return refuse("path segment", encoded, "holds a control character");
  if (segment.find_first_of("/\\") != std::string::npos) return refuse("path segment", encoded, "holds a slash or backslash");
  return segment;
}

bool starts_with_http(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  return target.size() >= kScheme.size() && std::ranges::equal(target.substr(0, kScheme.size()), kScheme, {},
                                                               [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
}

// Takes the scheme and the authority off a target in absolute form.
std::string_view take_authority(std::string_view& target) {
  target.remove_prefix(std::string_view("http://").size());
  auto end = std::min(target.find_first_of("/?"), target.size());
  auto authority = target.substr(0, end);
  target.remove_prefix(end);
  return authority;
}

}  // namespace

Result<Target> split_target(std::string_view target) {
  if (target == "*") return Target{.path = target, .query = {}, .authority = {}};
  if (target.find_first_of("#\\") != std::string_view::npos) return refuse("target", target, "holds '#' or a backslash");
  Target parts;
  auto rest = target;
  if (starts_with_http(target)) {
    parts.authority = take_authority(rest);
    if (parts.authority.empty()) return refuse("target", target, "names no host");
  }
  auto question = std::min(rest.find('?'), rest.size());
  parts.path = rest.substr(0, question);
  parts.query = rest.substr(std::min(question + 1, rest.size()));
  if (parts.path.empty() && !parts.authority.empty()) parts.path = "/";
  if (!parts.path.starts_with('/')) return refuse("target", target, "does not begin with a slash");
  return parts;
}

Result<std::vector<std::string>> split_path(std::string_view path) {
  if (!path.starts_with('/')) return refuse("path", path, "does not begin with a slash");
  std::vector<std::string> segments;
  if (path == "/") return segments;
  for (auto rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    auto end = std::min(rest.find('/'), rest.size());
    LO_ASSIGN(auto segment, decode_segment(rest.substr(0, end)));
    segments.push_back(std::move(segment));
    rest.remove_prefix(end);
  }
  return segments;
}

std::string decode_path(std::string_view path) { return decode("path", path, false).value_or(""); }

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    auto equals = std::min(pair.find('='), pair.size());
    LO_ASSIGN(auto name, decode("query parameter", pair.substr(0, equals), true));
    LO_ASSIGN(auto value, decode("query parameter", pair.substr(std::min(equals + 1, pair.size())), true));
    pairs.emplace_back(std::move(name), std::move(value));
  }
  return pairs;
}

}  // namespace lo::http
