#include "dataset/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <string>

#include "base/text.h"

namespace lo::dataset {
namespace {

constexpr unsigned kMapped = 96;  // bits before an IPv4 address

std::optional<Network> parse_address(const std::string& text) {
  Network network{.bits = 128};
  if (::inet_pton(AF_INET6, text.c_str(), network.prefix.data()) == 1) return network;
  network.prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return ::inet_pton(AF_INET, text.c_str(), network.prefix.data() + 12) == 1 ? std::optional(network) : std::nullopt;
}

// Of a prefix of an IPv4 or an IPv6 address.
std::optional<unsigned> parse_bits(std::string_view text, bool v4) {
  unsigned bits = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size() || bits > (v4 ? 32U : 128U)) return std::nullopt;
  return bits + (v4 ? kMapped : 0U);
}

}  // namespace

bool has_prefix(std::span<const std::uint8_t> address, std::span<const std::uint8_t> prefix, unsigned bits) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    auto left = std::clamp<int>(static_cast<int>(bits) - static_cast<int>(i) * 8, 0, 8);
    auto mask = static_cast<std::uint8_t>(0xff00u >> left);
    if ((address[i] & mask) != (prefix[i] & mask)) return false;
  }
  return true;
}

Result<Network> parse_network(std::string_view text) {
  auto slash = std::min(text.find('/'), text.size());
  auto network = parse_address(std::string(text.substr(0, slash)));
  if (network && slash < text.size()) {
    auto bits = parse_bits(text.substr(slash + 1), text.find(':') == std::string_view::npos);
    network = bits ? std::optional(Network{.prefix = network->prefix, .bits = *bits}) : std::nullopt;
  }
  if (!network) return fail(Code::unacceptable, fmt::format("\"{}\" is no network, such as 10.1.0.0/16 or fd00::/8", printable(text)));
  return *network;
}

}  // namespace lo::dataset
