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

Result<std::shared_ptr<http::TlsContext>> read_certificate(const Options& options) {
  auto tls = http::read_tls(options.tls_certificate, options.tls_key);
  if (!tls) return refuse("--tls-certificate, --tls-key: " + tls.error().message);
  return tls;
}

}  // namespace

Result<http::Access> read_access(const Options& options) {
  http::Access access{.tokens = nullptr, .tls = nullptr, .behind_proxy = options.behind_proxy, .hosts = options.allowed_hosts};
  if (!options.token_file.empty()) {
    LO_ASSIGN(auto tokens, read_tokens(options.token_file));
    access.tokens = std::make_shared<Current<const http::Tokens>>(std::move(tokens));
  }
  if (!options.tls_certificate.empty()) {
    LO_ASSIGN(auto tls, read_certificate(options));
    access.tls = std::make_shared<Current<http::TlsContext>>(std::move(tls));
  }
  if (!is_beyond_loopback(options.host)) return access;
  auto where = fmt::format("--host {}: beyond loopback", printable(options.host));
  if (!access.tokens) return refuse(where + " the server asks for tokens: make one by `orchestra token NAME --file FILE`, and name the file by --token-file");
  if (!access.tls && !options.behind_proxy)
    return refuse(where + " tokens would be sent in the clear: name a certificate by --tls-certificate and --tls-key, or put a proxy that speaks TLS before the "
                          "server, and say so by --behind-proxy");
  return access;
}

std::vector<RereadFiles> files_of_access(const Options& options, const http::Access& access) {
  std::vector<RereadFiles> files;
  if (access.tokens) {
    files.emplace_back("the tokens", std::vector{options.token_file}, [path = options.token_file, current = access.tokens]() -> Status {
      LO_ASSIGN(auto tokens, read_tokens(path));
      current->set(std::move(tokens));
      return {};
    });
  }
  if (access.tls) {
    files.emplace_back("the certificate and its key", std::vector{options.tls_certificate, options.tls_key}, [options, current = access.tls]() -> Status {
      LO_ASSIGN(auto tls, read_certificate(options));
      current->set(std::move(tls));
      return {};
    });
  }
  return files;
}

std::string url_of(const Options& options, std::uint16_t port) {
  auto host = options.host.contains(':') ? "[" + options.host + "]" : options.host;
  if (options.tls_certificate.empty()) return fmt::format("http://{}:{}", host, port);
  for (const auto& name : options.allowed_hosts)
    if (!name.contains(':')) return fmt::format("https://{}:{}", name, port);
  return fmt::format("https://{}:{}", host, port);
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
