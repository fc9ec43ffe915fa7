#include "cli/contexts.h"

#include <fmt/format.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cstdlib>

#include "base/data_folder.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

std::filesystem::path config_folder() {
  if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder == '/') return folder;  // NOLINT: one thread
  const char* home = std::getenv("HOME");                                                                    // NOLINT: one thread
  return std::filesystem::path(home == nullptr ? "." : home) / ".config";
}

Result<Endpoint> endpoint_of(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return fail(Code::malformed, "it is no object");
  LO_ASSIGN(auto url, server_url(string_or(*object, "url")));
  return Endpoint{.url = std::move(url), .token = string_or(*object, "token"), .ca = string_or(*object, "ca")};
}

Result<Contexts> contexts_of(const json::object& document) {
  Contexts contexts{.by_name = {}, .current = string_or(document, "current")};
  const auto* all = document.if_contains("contexts");
  if (all == nullptr || !all->is_object()) return fail(Code::malformed, "there is no object \"contexts\"");
  for (const auto& [name, value] : all->get_object()) {
    auto endpoint = endpoint_of(value);
    if (!endpoint) return fail(Code::malformed, fmt::format("\"{}\": {}", printable(name), endpoint.error().message));
    contexts.by_name.emplace(name, *std::move(endpoint));
  }
  if (!contexts.current.empty() && !contexts.by_name.contains(contexts.current))
    return fail(Code::malformed, fmt::format("\"current\": there is no context \"{}\"", printable(contexts.current)));
  return contexts;
}

json::object document_of(const Contexts& contexts) {
  json::object all;
  for (const auto& [name, endpoint] : contexts.by_name) {
    json::object members{{"url", endpoint.url}};
    if (!endpoint.token.empty()) members["token"] = endpoint.token;
    if (!endpoint.ca.empty()) members["ca"] = endpoint.ca.string();
    all[name] = std::move(members);
  }
  return {{"current", contexts.current}, {"contexts", std::move(all)}};
}

}  // namespace

std::filesystem::path contexts_path() { return config_folder() / "learning-orchestra" / "contexts.json"; }

Result<Contexts> read_contexts(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return Contexts();
  LO_ASSIGN(auto text, read_text(path));
  auto named = [&](const Error& error) { return fail(Code::malformed, fmt::format("{}: {}", path.string(), error.message)); };
  auto document = parse_json_object(text);
  if (!document) return named(document.error());
  auto contexts = contexts_of(*document);
  if (!contexts) return named(contexts.error());
  return contexts;
}

Status write_contexts(const std::filesystem::path& path, const Contexts& contexts) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail(Code::io, fmt::format("cannot make {}: {}", path.parent_path().string(), error.message()));
  return write_whole_file(path, json::serialize(document_of(contexts)) + "\n", 0600);
}

Result<std::string> server_url(std::string_view text) {
  auto url = boost::urls::parse_uri({text.data(), text.size()});
  bool good = url && (url->scheme() == "http" || url->scheme() == "https") && !url->encoded_host().empty() && !url->has_userinfo() && !url->has_query() &&
              !url->has_fragment();
  if (!good) return fail(Code::unacceptable, fmt::format("\"{}\" is no URL of a server, such as https://orchestra.example.org", printable(text)));
  return std::string(text.substr(0, text.find_last_not_of('/') + 1));
}

}  // namespace lo::cli
