// Bearer tokens (RFC 6750), of which the server knows digests only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lo::http {

// Immutable: any thread.
class Tokens {
 public:
  // A line per token: its owner's name and "sha256:" with 64 hexadecimal digits, apart by blanks. Empty lines and what follows a # do not count. An owner
  // may have several tokens. Code::malformed naming `file` and the line; also without a single token.
  static Result<Tokens> parse(std::string_view text, std::string_view file);

  // Takes as long for each token, known or not.
  std::optional<std::string_view> owner_of(std::string_view token) const;

 private:
  struct Entry {
    std::string owner;
    std::array<std::uint8_t, 32> digest;
  };
  std::vector<Entry> entries_;
};

// The line by which `owner`'s token is known, without an end of line.
std::string token_line(std::string_view owner, std::string_view token);

// A token that nobody can guess: 256 bits of the kernel's random source.
std::string make_bearer_token();

}  // namespace lo::http
