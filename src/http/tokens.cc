#include "http/tokens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>

#include "base/id.h"
#include "base/text.h"

namespace lo::http {
namespace {

using Digest = std::array<std::uint8_t, 32>;

constexpr std::string_view kScheme = "sha256:";

// Tokens are random and long, so that a plain digest tells nothing of them.
Digest digest_of(std::string_view token) {
  Digest digest{};
  EVP_Digest(token.data(), token.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::optional<Digest> read_digest(std::string_view text) {
  Digest digest{};
  if (!text.starts_with(kScheme) || text.size() != kScheme.size() + 2 * digest.size()) return std::nullopt;
  const auto* at = text.data() + kScheme.size();
  for (auto& byte : digest) {
    auto [end, error] = std::from_chars(at, at + 2, byte, 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
    at += 2;
  }
  return digest;
}

// Up to the next blank; takes it off `line`.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  auto word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

Result<Tokens> Tokens::parse(std::string_view text, std::string_view file) {
  Tokens tokens;
  for (int number = 1; !text.empty(); ++number) {
    auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, std::min(text.find('#'), end));
    text.remove_prefix(std::min(end + 1, text.size()));
    auto owner = next_word(line);
    if (owner.empty()) continue;
    auto digest = read_digest(next_word(line));
    if (!check_name(owner, "") || !digest || !next_word(line).empty())  // what it says may be a token: it is not repeated
      return fail(Code::malformed, fmt::format("{}, line {}: there must be an owner's name and sha256:<64 hexadecimal digits>", file, number));
    tokens.entries_.push_back({.owner = std::string(owner), .digest = *digest});
  }
  if (tokens.entries_.empty()) return fail(Code::malformed, fmt::format("{} holds no token: nobody could connect", file));
  return tokens;
}

std::optional<std::string_view> Tokens::owner_of(std::string_view token) const {
  auto digest = digest_of(token);
  std::optional<std::string_view> owner;
  for (const auto& entry : entries_)
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) owner = entry.owner;
  return owner;
}

std::string token_line(std::string_view owner, std::string_view token) {
  return fmt::format("{} {}{:02x}", owner, kScheme, fmt::join(digest_of(token), ""));
}

std::string make_bearer_token() { return "lo_" + make_token() + make_token(); }

}  // namespace lo::http
