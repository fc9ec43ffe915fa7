#include "serve/token_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/fd.h"
#include "base/id.h"
#include "base/text.h"
#include "http/tokens.h"

namespace lo::serve {
namespace {

struct TokenOptions {
  std::string owner;
  std::filesystem::path file;
};

Status append_line(const std::filesystem::path& path, const std::string& line) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  auto text = line + "\n";
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0)
    return fail_errno(fmt::format("cannot write {}", path.string()), errno);
  return {};
}

Status make_token(const TokenOptions& options) {
  LO_TRY(check_name(options.owner, "NAME"));
  auto token = http::make_bearer_token();
  auto line = http::token_line(options.owner, token);
  if (options.file.empty()) {
    fmt::print(stderr, "The line for the server's --token-file:\n{}\n", line);
  } else {
    LO_TRY(append_line(options.file, line));
  }
  fmt::print("{}\n", token);
  return {};
}

}  // namespace

void add_token_command(CLI::App& app, int& exit_status) {
  auto options = std::make_shared<TokenOptions>();
  auto* command = app.add_subcommand("token", "Make a token for somebody who may connect to a server; it is printed once and kept nowhere");
  command->add_option("NAME", options->owner, "Whose it is: the owner of the steps that are made with it")->required();
  command->add_option("--file", options->file, "The server's --token-file: the line that knows the token is added to it; without it the line is printed");
  command->callback([options, &exit_status] {
    auto made = make_token(*options);
    if (made) return;
    fmt::print(stderr, "orchestra: {}\n", printable(made.error().message, 4000));
    exit_status = EXIT_FAILURE;
  });
}

}  // namespace lo::serve
