#include "cli/context_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>

#include "base/id.h"
#include "base/text.h"
#include "cli/connection.h"
#include "cli/contexts.h"
#include "cli/exit_status.h"
#include "cli/text_table.h"
#include "cli/workflow_files.h"

namespace lo::cli {
namespace {

struct AddOptions {
  std::string name;
  std::string url;
  std::string token_from;  // "-" = standard input
  std::filesystem::path ca;
};

using Change = std::function<Status(Contexts&)>;

// Reads the file, has it changed, and writes it.
int change(const Change& work) {
  auto path = contexts_path();
  auto contexts = read_contexts(path);
  if (!contexts) return tell(contexts.error());
  if (auto changed = work(*contexts); !changed) return tell(changed.error());
  auto written = write_contexts(path, *contexts);
  return written ? kOk : tell(written.error());
}

std::unexpected<Error> no_such(const Contexts& contexts, std::string_view name) {
  std::string known(kLocalContext);
  for (const auto& [other, endpoint] : contexts.by_name) known += ", " + other;
  return fail(Code::not_found, fmt::format("there is no context \"{}\"; there is {}", printable(name), known));
}

Result<std::string> read_token(const std::string& from) {
  std::string token;
  if (from == "-") {
    std::getline(std::cin, token);
  } else {
    LO_ASSIGN(token, read_text(from));
  }
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty() || token.find_first_of(" \t\r\n") != std::string::npos)
    return fail(Code::unacceptable, fmt::format("--token-from {}: there must be one token, and nothing else", printable(from)));
  return token;
}

Result<Endpoint> endpoint_of(const AddOptions& options) {
  LO_ASSIGN(auto url, server_url(options.url));
  Endpoint endpoint{.url = std::move(url)};
  if (!options.token_from.empty()) {
    LO_ASSIGN(endpoint.token, read_token(options.token_from));
  }
  if (!options.ca.empty()) endpoint.ca = std::filesystem::absolute(options.ca);
  return endpoint;
}

Status add(const AddOptions& options, Contexts& contexts) {
  LO_TRY(check_name(options.name, "NAME"));
  if (options.name == kLocalContext) return fail(Code::unacceptable, "NAME: \"local\" is the server of this machine");
  LO_ASSIGN(contexts.by_name[options.name], endpoint_of(options));
  contexts.current = options.name;
  fmt::print("{} is used from now on\n", options.name);
  return {};
}

Status use(const std::string& name, Contexts& contexts) {
  if (name != kLocalContext && !contexts.by_name.contains(name)) return no_such(contexts, name);
  contexts.current = name == kLocalContext ? "" : name;
  fmt::print("{} is used from now on\n", name);
  return {};
}

Status remove(const std::string& name, Contexts& contexts) {
  if (contexts.by_name.erase(name) == 0) return no_such(contexts, name);
  if (contexts.current == name) contexts.current.clear();
  return {};
}

int list() {
  auto contexts = read_contexts(contexts_path());
  if (!contexts) return tell(contexts.error());
  auto mark = [&](std::string_view name) { return contexts->current == name ? "*" : ""; };
  std::vector<Row> rows{{mark(""), std::string(kLocalContext), fmt::format("{}, or the one of the data folder", kDefaultServer), ""}};
  for (const auto& [name, endpoint] : contexts->by_name) rows.push_back({mark(name), name, endpoint.url, endpoint.token.empty() ? "" : "kept"});
  for (const auto& line : table_lines({"used", "name", "server", "token"}, rows)) fmt::print("{}\n", line);
  return kOk;
}

void add_add(CLI::App& command, int& exit_status) {
  auto options = std::make_shared<AddOptions>();
  auto* add_command = command.add_subcommand("add", "Keep a server by a name, and use it from now on");
  add_command->add_option("NAME", options->name, "Any name")->required();
  add_command->add_option("URL", options->url, "Of the server, such as https://orchestra.example.org")->required();
  add_command->add_option("--token-from", options->token_from, "File that holds its token; - reads it from standard input. It is kept in a file that only you may read");
  add_command->add_option("--ca", options->ca, "PEM file of the authority that signed its certificate, where this machine does not know it")->check(CLI::ExistingFile);
  add_command->callback([options, &exit_status] { exit_status = change([&](Contexts& contexts) { return add(*options, contexts); }); });
}

using NamedChange = Status (*)(const std::string&, Contexts&);

void add_named(CLI::App& command, int& exit_status, const std::string& verb, const std::string& about, NamedChange work) {
  auto name = std::make_shared<std::string>();
  auto* named = command.add_subcommand(verb, about);
  named->add_option("NAME", *name)->required();
  named->callback([name, work, &exit_status] { exit_status = change([&](Contexts& contexts) { return work(*name, contexts); }); });
}

}  // namespace

void add_context_command(CLI::App& app, int& exit_status) {
  auto* command = app.add_subcommand("context", "List the servers that you keep by name, or change which is used");
  add_add(*command, exit_status);
  add_named(*command, exit_status, "use", "Speak to this server from now on; local is the one of this machine", use);
  add_named(*command, exit_status, "rm", "Forget a server", remove);
  command->require_subcommand(0, 1);
  command->callback([command, &exit_status] {
    if (command->get_subcommands().empty()) exit_status = list();
  });
}

}  // namespace lo::cli
