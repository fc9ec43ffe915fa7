#include "api/versions.h"

#include <charconv>
#include <fmt/format.h>

#include "http/etag.h"

namespace lo::api {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes what stands before `mark` off the front of `text`.
std::string_view take(std::string_view& text, char mark) {
  auto end = text.find(mark);
  auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::optional<engine::Version> parse_version(std::string_view tag) {
  auto step = parse_number<catalog::StepId>(take(tag, '.'), 16);
  auto revision = parse_number<int>(take(tag, '.'), 10);
  auto state = parse_state(take(tag, '-'));
  if (!step || !revision || !state) return std::nullopt;
  return engine::Version{.step = *step, .revision = *revision, .state = *state};
}

}  // namespace

engine::Version version_of(const StepRecord& record) {
  const auto& newest = record.newest();
  return {.step = newest.key.step, .revision = newest.key.revision, .state = newest.state};
}

http::Response with_step_etag(const http::Request& request, const StepRecord& record, http::Response response) {
  auto version = version_of(record);
  if (const auto* body = std::get_if<std::string>(&response.body))
    response.headers.emplace_back("ETag", fmt::format("\"{:x}.{}.{}-{}", version.step, version.revision, to_string(version.state),
                                                      http::etag_of(*body).substr(1)));
  return http::with_etag(request, std::move(response));
}

engine::OnlyIf only_if(const http::Request& request) {
  auto header = request.header("if-match");
  if (!header || *header == "*") return std::nullopt;
  std::vector<engine::Version> versions;
  for (const auto& tag : http::strong_tags(*header))
    if (auto version = parse_version(tag)) versions.push_back(*version);
  return versions;
}

}  // namespace lo::api
