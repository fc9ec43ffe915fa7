// Which addresses may be connected to. Ranges: the IANA special-purpose registries, RFC 6890.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "dataset/download.h"

namespace lo::dataset {
namespace {

using Bytes4 = std::array<std::uint8_t, 4>;
using Bytes16 = std::array<std::uint8_t, 16>;

enum class Reach { anywhere, here, never };  // `here`: this machine and its private networks

template <std::size_t N>
struct Special {
  std::array<std::uint8_t, N> prefix;
  unsigned bits;
  Reach reach;
};

constexpr std::array<Special<4>, 12> kNetworks4{{{{127, 0, 0, 0}, 8, Reach::here},
                                                 {{10, 0, 0, 0}, 8, Reach::here},
                                                 {{172, 16, 0, 0}, 12, Reach::here},
                                                 {{192, 168, 0, 0}, 16, Reach::here},
                                                 {{100, 100, 100, 200}, 32, Reach::never},  // a cloud's metadata
                                                 {{192, 0, 0, 192}, 32, Reach::never},      // a cloud's metadata
                                                 {{100, 64, 0, 0}, 10, Reach::here},        // shared address space
                                                 {{198, 18, 0, 0}, 15, Reach::here},        // benchmarking
                                                 {{0, 0, 0, 0}, 8, Reach::never},
                                                 {{169, 254, 0, 0}, 16, Reach::never},  // link-local, metadata
                                                 {{192, 0, 0, 0}, 24, Reach::never},
                                                 {{224, 0, 0, 0}, 3, Reach::never}}};  // multicast, reserved, broadcast

constexpr std::array<Special<16>, 6> kNetworks6{
    {{{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54}, 128, Reach::never},  // metadata
     {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, Reach::here},
     {{}, 128, Reach::never},
     {{0xfe, 0x80}, 9, Reach::never},  // link-local and the old site-local
     {{0xfc}, 7, Reach::here},
     {{0xff}, 8, Reach::never}}};

template <std::size_t N>
bool within(const std::array<std::uint8_t, N>& address, const Special<N>& network) {
  return has_prefix(address, network.prefix, network.bits);
}

template <std::size_t N, class Networks>
Reach reach_in(const std::array<std::uint8_t, N>& address, const Networks& networks) {
  auto found = std::ranges::find_if(networks, [&](const auto& network) { return within(address, network); });
  return found == networks.end() ? Reach::anywhere : found->reach;
}

// The IPv4 address that an IPv6 one stands for: mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96), 6to4
// (2002::/16).
std::optional<Bytes4> embedded(const Bytes16& address) {
  constexpr std::array<Special<16>, 3> kAtTheEnd{{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, Reach::here},
                                                  {{0, 0x64, 0xff, 0x9b}, 96, Reach::here},
                                                  {{}, 96, Reach::here}}};
  Bytes4 bytes{};
  if (within(address, Special<16>{{0x20, 0x02}, 16, Reach::here})) {
    std::copy_n(address.begin() + 2, 4, bytes.begin());
    return bytes;
  }
  bool is_loopback_or_any = within(address, kNetworks6[1]) || within(address, kNetworks6[2]);
  if (is_loopback_or_any || reach_in(address, kAtTheEnd) == Reach::anywhere) return std::nullopt;
  std::copy_n(address.begin() + 12, 4, bytes.begin());
  return bytes;
}

Bytes16 mapped(const Bytes4& address) {
  Bytes16 bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::ranges::copy(address, bytes.begin() + 12);
  return bytes;
}

std::string text_of(int family, const void* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, bytes, text.data(), text.size()) == nullptr ? "?" : text.data();
}

// `meant`: the address, an IPv4 one as it is mapped to IPv6; `text`: as it was written.
Status decide(Reach reach, const Bytes16& meant, const UrlPolicy& policy, const std::string& text) {
  if (reach == Reach::never)
    return fail(Code::forbidden, fmt::format("the address {} (link-local, metadata or reserved) is refused", text));
  if (reach == Reach::anywhere || policy.allow_private) return {};
  if (std::ranges::any_of(policy.allowed, [&](const Network& network) { return has_prefix(meant, network.prefix, network.bits); })) return {};
  return fail(Code::forbidden, fmt::format("the address {} (loopback or a private network) is refused", text));
}

Status decide(const Bytes4& address, const UrlPolicy& policy, const std::string& text) {
  return decide(reach_in(address, kNetworks4), mapped(address), policy, text);
}

Status decide(const Bytes16& address, const UrlPolicy& policy, const std::string& text) {
  auto inner = embedded(address);
  return inner ? decide(*inner, policy, text) : decide(reach_in(address, kNetworks6), address, policy, text);
}

template <std::size_t N>
std::array<std::uint8_t, N> bytes_of(const void* address) {
  std::array<std::uint8_t, N> bytes{};
  std::memcpy(bytes.data(), address, N);
  return bytes;
}

}  // namespace

Status check_address(const sockaddr& address, const UrlPolicy& policy) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return decide(bytes_of<4>(&in.sin_addr), policy, text_of(AF_INET, &in.sin_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    return decide(bytes_of<16>(&in.sin6_addr), policy, text_of(AF_INET6, &in.sin6_addr));
  }
  return fail(Code::forbidden, fmt::format("an address of family {} is refused", address.sa_family));
}

}  // namespace lo::dataset
