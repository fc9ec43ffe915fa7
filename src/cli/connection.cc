#include "cli/connection.h"

#include <fmt/format.h>

#include <cstdlib>

#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

std::string without_slashes(std::string url) {
  url.erase(url.find_last_not_of("/ \r\n") + 1);
  return url;
}

std::filesystem::path data_of(const ServerChoice& choice) { return choice.data.empty() ? kDefaultData : choice.data; }

Connection connection_to(const std::string& url, const Interrupt& interrupt) {
  Connection connection;
  const char* token = std::getenv(kTokenVariable);  // NOLINT: one thread
  connection.http = std::make_unique<HttpClient>(without_slashes(url), interrupt.fd(), token == nullptr ? "" : token);
  connection.api = std::make_unique<ApiClient>(*connection.http);
  return connection;
}

Result<Connection> reach(const std::string& url, const Interrupt& interrupt) {
  auto connection = connection_to(url, interrupt);
  LO_TRY(connection.api->probe());
  return connection;
}

// The server that is named, or the default one where nothing is named; nothing where it has to be found by its folder.
Result<std::optional<Connection>> reach_known(const ServerChoice& choice, const Interrupt& interrupt) {
  if (!choice.url.empty()) {
    LO_ASSIGN(auto connection, reach(choice.url, interrupt));
    return connection;
  }
  if (!choice.data.empty()) return std::nullopt;
  auto connection = reach(std::string(kDefaultServer), interrupt);
  if (connection) return *std::move(connection);
  if (connection.error().code == Code::cancelled) return fail(std::move(connection).error());
  return std::nullopt;
}

}  // namespace

Result<Connection> connect(const ServerChoice& choice, const Interrupt& interrupt) {
  LO_ASSIGN(auto known, reach_known(choice, interrupt));
  if (known) return *std::move(known);
  auto data = data_of(choice);
  auto url = read_text(data / "server.url");
  if (url) {
    if (auto connection = reach(*url, interrupt); connection) return connection;
  }
  return fail(Code::io, fmt::format("no server answers{}, and none holds the folder '{}'; name one by --server or --data",
                                    choice.data.empty() ? fmt::format(" at {}", kDefaultServer) : "", data.string()));
}

Result<Connection> connect_or_start(const ServerChoice& choice, const Interrupt& interrupt) {
  LO_ASSIGN(auto known, reach_known(choice, interrupt));
  if (known) return *std::move(known);
  OwnServerOptions options;
  options.data = data_of(choice);
  LO_ASSIGN(auto server, start_own_server(std::move(options), interrupt));
  auto connection = connection_to(server.url, interrupt);
  if (server.own) connection.own.emplace(*std::move(server.own));
  LO_TRY(connection.api->probe());
  return connection;
}

}  // namespace lo::cli
