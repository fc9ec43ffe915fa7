#include "http/message.h"

#include <algorithm>

namespace lo::http {
namespace {

std::optional<std::string_view> first_of(const std::vector<std::pair<std::string, std::string>>& pairs, std::string_view name) {
  auto found = std::ranges::find(pairs, name, [](const auto& pair) { return std::string_view(pair.first); });
  if (found == pairs.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<std::string_view> Request::query_value(std::string_view name) const { return first_of(query, name); }

std::optional<std::string_view> Request::header(std::string_view name) const { return first_of(headers, name); }

Response json_response(unsigned status, const json::value& body) {
  return text_response(status, "application/json", write_json(body));
}

Response text_response(unsigned status, std::string content_type, std::string body) {
  Response response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.emplace_back("Content-Type", std::move(content_type));
  return response;
}

}  // namespace lo::http
