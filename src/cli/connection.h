// Which server a command speaks to.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/api_client.h"
#include "cli/interrupt.h"
#include "cli/own_server.h"

namespace lo::cli {

inline constexpr std::string_view kDefaultServer = "http://127.0.0.1:8000";
inline constexpr std::string_view kDefaultData = "orchestra-data";

// Holds the token for servers of which no context keeps one; on the command line everybody on the machine could read it.
inline constexpr const char* kTokenVariable = "ORCHESTRA_TOKEN";

// Names the PEM file of the authorities that may have signed the server's certificate, likewise.
inline constexpr const char* kAuthoritiesVariable = "ORCHESTRA_CA";

struct ServerChoice {
  std::string url;             // or the name of a context; "" when none is named
  std::filesystem::path data;  // "" when none is named
};

// A server that answers, and the way to it.
struct Connection {
  std::optional<OwnServer> own;  // stopped with the connection
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<ApiClient> api;
};

// A named server must answer, and so must the context in use where neither a server nor a data folder is named. Otherwise, unless a folder is named: the
// one at kDefaultServer. Else the one that holds the
// data folder, as its file server.url says. Code::io telling what was tried.
Result<Connection> connect(const ServerChoice& choice, const Interrupt& interrupt);

// The same, but in the last case a server is started on the data folder where none holds it.
Result<Connection> connect_or_start(const ServerChoice& choice, const Interrupt& interrupt);

}  // namespace lo::cli
