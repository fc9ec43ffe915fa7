#include "http/etag.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

namespace lo::http {
namespace {

// Takes one tag with its quotes off the front of `list`, e.g. W/"abc"; "" when there is none.
std::string_view take_tag(std::string_view& list) {
  auto open = list.starts_with("W/") ? 2u : 0u;
  if (open >= list.size() || list[open] != '"') return {};
  auto close = list.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  auto tag = list.substr(0, close + 1);
  list.remove_prefix(close + 1);
  return tag;
}

void skip(std::string_view& text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

bool same(std::string_view tag, std::string_view etag, Comparison comparison) {
  if (comparison == Comparison::weak && tag.starts_with("W/")) tag.remove_prefix(2);
  return tag == etag;
}

const std::string* set_tag(const Response& response) {
  auto found = std::ranges::find(response.headers, "ETag", [](const auto& header) { return std::string_view(header.first); });
  return found == response.headers.end() ? nullptr : &found->second;
}

}  // namespace

std::string etag_of(std::string_view body) {
  auto hash = XXH3_128bits(body.data(), body.size());
  return fmt::format("\"{:016x}{:016x}\"", hash.high64, hash.low64);
}

bool etag_matches(std::string_view header, std::string_view etag, Comparison comparison) {
  skip(header, " \t");
  if (header == "*") return true;
  while (!header.empty()) {
    auto tag = take_tag(header);
    if (tag.empty()) return false;
    if (same(tag, etag, comparison)) return true;
    skip(header, " \t,");
  }
  return false;
}

std::vector<std::string> strong_tags(std::string_view header) {
  std::vector<std::string> tags;
  skip(header, " \t");
  for (auto tag = take_tag(header); !tag.empty(); tag = take_tag(header)) {
    if (tag.starts_with('"')) tags.emplace_back(tag.substr(1, tag.size() - 2));
    skip(header, " \t,");
  }
  return tags;
}

Response with_etag(const Request& request, Response response) {
  const auto* body = std::get_if<std::string>(&response.body);
  if (response.status != 200 || body == nullptr) return response;
  if (set_tag(response) == nullptr) response.headers.emplace_back("ETag", etag_of(*body));
  auto known = request.header("if-none-match");
  if (!known || !etag_matches(*known, *set_tag(response), Comparison::weak)) return response;
  response.status = 304;
  response.body = std::string();
  std::erase_if(response.headers, [](const auto& header) { return header.first == "Content-Type"; });
  return response;
}

}  // namespace lo::http
