// Networks of IP addresses.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"

namespace lo::dataset {

// IPv4 addresses as IPv6 ones that they are mapped to (::ffff:0:0/96).
struct Network {
  std::array<std::uint8_t, 16> prefix{};
  unsigned bits = 0;
};

// Whether the first bits of the address are those of the prefix, which is as long as the address.
bool has_prefix(std::span<const std::uint8_t> address, std::span<const std::uint8_t> prefix, unsigned bits);

// "10.1.0.0/16", "fd00::/8"; an address alone is a network of one. Code::unacceptable naming the text.
Result<Network> parse_network(std::string_view text);

}  // namespace lo::dataset
