// The servers that a user works with, by names of the user's own, and which of them is meant where none is named.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/error.h"

namespace lo::cli {

// How a server is reached.
struct Endpoint {
  std::string url;           // "https://orchestra.example.org", without a slash at the end
  std::string token = {};    // "" = none
  std::filesystem::path ca = {};  // PEM of the authorities that may have signed the server's certificate; "" = those of this machine
  bool operator==(const Endpoint&) const = default;
};

inline constexpr std::string_view kLocalContext = "local";  // names the server of this machine; no context is called so

struct Contexts {
  std::map<std::string, Endpoint> by_name = {};
  std::string current = {};  // "" = the server of this machine
  bool operator==(const Contexts&) const = default;
};

// $XDG_CONFIG_HOME/learning-orchestra/contexts.json, else below ~/.config.
std::filesystem::path contexts_path();

// None where there is no such file; Code::malformed naming the file and what is wrong with it.
Result<Contexts> read_contexts(const std::filesystem::path& path);

// As a whole, readable for the user alone, because there are tokens in it; makes the folder.
Status write_contexts(const std::filesystem::path& path, const Contexts& contexts);

// Code::unacceptable naming the URL unless it is one of http or https with nothing but a host, a port and a path before the API's; gives it without
// slashes at the end.
Result<std::string> server_url(std::string_view text);

}  // namespace lo::cli
