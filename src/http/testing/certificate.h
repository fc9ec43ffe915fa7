// For tests: certificates that sign themselves, and clients that speak TLS.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace lo::http {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;

struct CertificateFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Writes one of `name`, for an hour, to NAME.pem and NAME.key in `folder`.
inline CertificateFiles make_certificate(const std::filesystem::path& folder, const std::string& name) {
  Key key(EVP_EC_gen("P-256"));
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  auto* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  EXPECT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  CertificateFiles files{.certificate = folder / (name + ".pem"), .key = folder / (name + ".key")};
  std::unique_ptr<std::FILE, Free<std::fclose>> file(std::fopen(files.certificate.c_str(), "we"));
  PEM_write_X509(file.get(), certificate.get());
  file.reset(std::fopen(files.key.c_str(), "we"));
  PEM_write_PrivateKey(file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return files;
}

// TLS over a connected socket that blocks, which outlives it. Trusts everybody.
class TlsClient {
 public:
  explicit TlsClient(int socket, int newest = TLS1_3_VERSION) {
    SSL_CTX_set_max_proto_version(context_.get(), newest);
    SSL_CTX_set_security_level(context_.get(), 0);  // what is old is offered, so that it is the server that refuses it
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket);
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  bool connected() const { return connected_; }
  bool send(std::string_view bytes) { return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()); }

  // Reads on until `text` has come; gives all up to its end, or what came before the connection ended.
  std::string read_until(std::string_view text) {
    while (!kept_.contains(text) && read_some()) continue;
    auto end = kept_.find(text);
    auto read = kept_.substr(0, end == std::string::npos ? end : end + text.size());
    kept_.erase(0, read.size());
    return read;
  }

  // Everything up to the end.
  std::string read_all() {
    while (read_some()) continue;
    return std::exchange(kept_, "");
  }

  // Whether the server said that nothing more comes: else something may have been cut off.
  bool told_the_end() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string server_name() const {
    Certificate certificate(SSL_get1_peer_certificate(ssl_.get()));
    char name[100] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    return name;
  }

 private:
  bool read_some() {
    char bytes[16384];
    auto got = SSL_read(ssl_.get(), bytes, sizeof bytes);
    if (got > 0) kept_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }

  std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context_{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<SSL, Free<SSL_free>> ssl_;
  bool connected_ = false;
  std::string kept_;
};

}  // namespace lo::http
