#include "http/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <span>
#include <string_view>

#include "base/text.h"

namespace lo::http {
namespace {

namespace ssl = boost::asio::ssl;

Error unusable(const std::filesystem::path& file, std::string_view what, const boost::system::error_code& error) {
  return {.code = Code::unacceptable, .message = fmt::format("{} is no {}: {}", printable(file.string()), what, error.message())};
}

// Of what a client offers (ALPN) we take HTTP/1.1. One that offers only others may find out by itself.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned offered_length, void*) {
  constexpr std::string_view kOurs = "http/1.1";
  std::span offers(offered, offered_length);
  while (!offers.empty() && offers.size() > offers[0]) {
    auto name = offers.subspan(1, offers[0]);
    if (std::string_view(reinterpret_cast<const char*>(name.data()), name.size()) == kOurs) {
      *chosen = name.data();
      *length = static_cast<unsigned char>(name.size());
      return SSL_TLSEXT_ERR_OK;
    }
    offers = offers.subspan(1 + name.size());
  }
  return SSL_TLSEXT_ERR_NOACK;
}

void configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // thousands of streams are silent most of the time
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

}  // namespace

Result<std::shared_ptr<TlsContext>> read_tls(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  auto context = std::make_shared<TlsContext>(TlsContext::tls_server);
  configure(context->native_handle());
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate, error);
  if (error) return std::unexpected(unusable(certificate, "certificate in PEM", error));
  context->use_private_key_file(key, TlsContext::pem, error);
  if (error) return std::unexpected(unusable(key, fmt::format("private key in PEM that belongs to {}", printable(certificate.string())), error));
  return context;
}

}  // namespace lo::http
