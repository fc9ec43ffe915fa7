#include "observe/webhook_signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

namespace lo::observe {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kMadeBytes = 32;
constexpr std::size_t kLeastBytes = 24, kMostBytes = 64;

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with NUL
  auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

// Only the one way to write them: padded, without line breaks.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), octets(text), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  auto padding = text.size() - std::min(text.find_last_not_of('=') + 1, text.size());
  if (padding > 2) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return base64(bytes) == text ? std::optional(bytes) : std::nullopt;
}

std::optional<std::string> key_of(std::string_view secret) {
  if (!secret.starts_with(kPrefix) || secret.size() > 128) return std::nullopt;
  auto key = from_base64(secret.substr(kPrefix.size()));
  return key && key->size() >= kLeastBytes && key->size() <= kMostBytes ? key : std::nullopt;
}

}  // namespace

std::string make_webhook_secret() {
  std::array<char, kMadeBytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes))
    throw std::runtime_error("the kernel gave no random bytes");
  return std::string(kPrefix) + base64({bytes.data(), bytes.size()});
}

Status check_webhook_secret(std::string_view secret, std::string_view pointer) {
  if (key_of(secret)) return {};
  return fail_field(Code::unacceptable, std::string(pointer),
                    fmt::format("a secret is \"{}\" and the base64 of {} to {} bytes; this one, {} characters long, is not",
                                kPrefix, kLeastBytes, kMostBytes, secret.size()));
}

std::string webhook_signature(std::string_view secret, std::string_view id, std::int64_t timestamp, std::string_view payload) {
  auto key = key_of(secret);
  if (!key) throw std::invalid_argument("not a webhook's secret");
  auto content = fmt::format("{}.{}.{}", id, timestamp, payload);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()), octets(content), content.size(), digest.data(), &size) ==
      nullptr)
    throw std::runtime_error("OpenSSL made no HMAC");
  return "v1," + base64({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace lo::observe
