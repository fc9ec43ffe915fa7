#include "cli/connection.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/text.h"
#include "cli/contexts.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

std::string without_slashes(std::string url) {
  url.erase(url.find_last_not_of("/ \r\n") + 1);
  return url;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT: one thread
  return value == nullptr ? "" : value;
}

// What the user keeps of the server at this URL; what is not kept may stand in variables.
Endpoint endpoint_at(const std::string& url, const Contexts& contexts) {
  Endpoint endpoint{.url = without_slashes(url)};
  for (const auto& [name, kept] : contexts.by_name)
    if (kept.url == endpoint.url) endpoint = kept;
  if (endpoint.token.empty()) endpoint.token = variable(kTokenVariable);
  if (endpoint.ca.empty()) endpoint.ca = variable(kAuthoritiesVariable);
  return endpoint;
}

// The URL of what the user named, or uses; "" where that is the server of this machine.
Result<std::string> chosen_url(const ServerChoice& choice, const Contexts& contexts) {
  if (choice.url.contains("://")) return choice.url;
  auto name = choice.url.empty() && choice.data.empty() ? contexts.current : choice.url;
  if (name.empty() || name == kLocalContext) return "";
  auto found = contexts.by_name.find(name);
  if (found == contexts.by_name.end())
    return fail(Code::not_found, fmt::format("--server: \"{}\" is neither a URL nor a context; `orchestra context` lists those that there are", printable(name)));
  return found->second.url;
}

std::filesystem::path data_of(const ServerChoice& choice) { return choice.data.empty() ? kDefaultData : choice.data; }

Connection connection_to(const Endpoint& endpoint, const Interrupt& interrupt) {
  Connection connection;
  connection.http = std::make_unique<HttpClient>(endpoint.url, interrupt.fd(), endpoint.token, endpoint.ca.string());
  connection.api = std::make_unique<ApiClient>(*connection.http);
  return connection;
}

Result<Connection> reach(const Endpoint& endpoint, const Interrupt& interrupt) {
  auto connection = connection_to(endpoint, interrupt);
  LO_TRY(connection.api->probe());
  return connection;
}

// The server that is named, or the default one where nothing is named; nothing where it has to be found by its folder.
Result<std::optional<Connection>> reach_known(const ServerChoice& choice, const Contexts& contexts, const Interrupt& interrupt) {
  LO_ASSIGN(auto url, chosen_url(choice, contexts));
  if (!url.empty()) {
    LO_ASSIGN(auto connection, reach(endpoint_at(url, contexts), interrupt));
    return connection;
  }
  if (!choice.data.empty()) return std::nullopt;
  auto connection = reach(endpoint_at(std::string(kDefaultServer), contexts), interrupt);
  if (connection) return *std::move(connection);
  if (connection.error().code == Code::cancelled) return fail(std::move(connection).error());
  return std::nullopt;
}

}  // namespace

Result<Connection> connect(const ServerChoice& choice, const Interrupt& interrupt) {
  LO_ASSIGN(auto contexts, read_contexts(contexts_path()));
  LO_ASSIGN(auto known, reach_known(choice, contexts, interrupt));
  if (known) return *std::move(known);
  auto data = data_of(choice);
  auto url = read_text(data / "server.url");
  if (url) {
    if (auto connection = reach(endpoint_at(*url, contexts), interrupt); connection) return connection;
  }
  return fail(Code::io, fmt::format("no server answers{}, and none holds the folder '{}'; name one by --server or --data",
                                    choice.data.empty() ? fmt::format(" at {}", kDefaultServer) : "", data.string()));
}

Result<Connection> connect_or_start(const ServerChoice& choice, const Interrupt& interrupt) {
  LO_ASSIGN(auto contexts, read_contexts(contexts_path()));
  LO_ASSIGN(auto known, reach_known(choice, contexts, interrupt));
  if (known) return *std::move(known);
  OwnServerOptions options;
  options.data = data_of(choice);
  LO_ASSIGN(auto server, start_own_server(std::move(options), interrupt));
  auto connection = connection_to(endpoint_at(server.url, contexts), interrupt);
  if (server.own) connection.own.emplace(*std::move(server.own));
  LO_TRY(connection.api->probe());
  return connection;
}

}  // namespace lo::cli
