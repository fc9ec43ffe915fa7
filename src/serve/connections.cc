#include "serve/connections.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "workflow/document.h"

namespace lo::serve {
namespace {

constexpr std::string_view kVariable = "ORCHESTRA_CONNECTION_";
constexpr std::array<std::string_view, 3> kSchemes{"postgresql://", "postgres://", "sqlite:////"};
constexpr std::size_t kMostName = 100;

using Connections = std::map<std::string, std::string>;

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_name(std::string_view name) {
  auto is_part = [](char c) { return (small(c) >= 'a' && small(c) <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= kMostName && std::ranges::all_of(name, is_part);
}

Status add(Connections& connections, const std::string& name, const std::string& url, std::string_view where) {
  if (!is_name(name)) return fail(Code::unacceptable, fmt::format("{}: '{}' is no name of a connection: letters, digits, - and _", where, name));
  if (std::ranges::none_of(kSchemes, [&](auto scheme) { return url.starts_with(scheme); }))
    return fail(Code::unacceptable, fmt::format("{}: the URL of the connection '{}' begins neither with postgresql:// nor with sqlite:////, which a whole path follows", where, name));
  connections[name] = url;
  return {};
}

Status add_of_file(Connections& connections, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(Code::io, fmt::format("{} cannot be read", file.string()));
  auto document = workflow::read_yaml(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!document) return fail(Code::malformed, fmt::format("{} is neither YAML nor JSON", file.string()));  // more might show a password
  const auto* names = document->value.if_object();
  if (names == nullptr) return fail(Code::malformed, fmt::format("{} must hold names and URLs", file.string()));
  for (const auto& [name, url] : *names) {
    if (!url.is_string()) return fail(Code::malformed, fmt::format("{}: the connection '{}' is no text", file.string(), std::string_view(name)));
    LO_TRY(add(connections, std::string(name), std::string(url.get_string()), file.string()));
  }
  return {};
}

}  // namespace

std::vector<std::string> all_variables() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  return variables;
}

run::Variables variables_in(const std::vector<std::string>& environment) {
  return [&environment](const std::string& name) -> std::optional<std::string> {
    auto found = std::ranges::find_if(environment, [&](const auto& variable) { return variable.starts_with(name + "="); });
    if (found == environment.end()) return std::nullopt;
    return found->substr(name.size() + 1);
  };
}

Result<Connections> read_connections(const std::filesystem::path& file, const std::vector<std::string>& environment) {
  Connections connections;
  if (!file.empty()) LO_TRY(add_of_file(connections, file));
  for (const auto& variable : environment) {
    if (!variable.starts_with(kVariable)) continue;
    auto equals = variable.find('=');
    auto name = variable.substr(kVariable.size(), equals - kVariable.size());
    std::ranges::transform(name, name.begin(), small);
    LO_TRY(add(connections, name, variable.substr(equals + 1), variable.substr(0, equals)));
  }
  return connections;
}

}  // namespace lo::serve
