#include "serve/access.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "dataset/network.h"

namespace lo::serve {
namespace {

std::unexpected<Error> refuse(std::string text) { return fail(Code::unacceptable, std::move(text)); }

bool is_beyond_loopback(const std::string& host) {
  boost::system::error_code error;
  auto address = boost::asio::ip::make_address(host, error);
  return !error && !address.is_loopback();
}

Result<std::shared_ptr<const http::Tokens>> read_tokens(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad()) return refuse(fmt::format("--token-file: {} cannot be read", printable(path.string())));
  LO_ASSIGN(auto tokens, http::Tokens::parse(text, fmt::format("--token-file: {}", printable(path.string()))));
  return std::make_shared<const http::Tokens>(std::move(tokens));
}

}  // namespace

Result<http::Access> read_access(const Options& options) {
  http::Access access{.tokens = nullptr, .behind_proxy = options.behind_proxy, .hosts = options.allowed_hosts};
  if (!options.token_file.empty()) {
    LO_ASSIGN(access.tokens, read_tokens(options.token_file));
  }
  if (!is_beyond_loopback(options.host)) return access;
  auto where = fmt::format("--host {}: beyond loopback", printable(options.host));
  if (!access.tokens) return refuse(where + " the server asks for tokens: make one by `orchestra token NAME --file FILE`, and name the file by --token-file");
  if (!options.behind_proxy)
    return refuse(where + " tokens would be sent in the clear: put a proxy that speaks TLS before the server, and say so by --behind-proxy");
  return access;
}

std::optional<std::vector<std::string>> private_networks(const Options& options) {
  return options.token_file.empty() ? std::nullopt : std::optional(options.allowed_urls);
}

Result<dataset::UrlPolicy> read_url_policy(const Options& options) {
  auto networks = private_networks(options);
  dataset::UrlPolicy policy{.allow_private = !networks};
  for (const auto& text : networks.value_or(std::vector<std::string>())) {
    LO_ASSIGN(auto network, dataset::parse_network(text));
    policy.allowed.push_back(network);
  }
  return policy;
}

}  // namespace lo::serve
