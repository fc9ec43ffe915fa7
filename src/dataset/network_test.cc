#include "dataset/network.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

#include "dataset/download.h"

namespace lo::dataset {
namespace {

using ::testing::HasSubstr;

// Whether a connection to the address is allowed where these networks are.
bool allowed(const std::string& text, const std::vector<std::string>& networks) {
  UrlPolicy policy;
  for (const auto& network : networks) policy.allowed.push_back(parse_network(network).value());
  sockaddr_in in{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  if (::inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1) return check_address(reinterpret_cast<const sockaddr&>(in), policy).has_value();
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &in6.sin6_addr), 1) << text;
  return check_address(reinterpret_cast<const sockaddr&>(in6), policy).has_value();
}

TEST(Network, OpensPrivateOnesAndNothingBeside) {
  for (const auto* address : {"10.1.2.3", "127.0.0.1", "::1", "fd00::1", "::ffff:10.1.2.3"}) EXPECT_FALSE(allowed(address, {})) << address;
  const std::vector<std::string> some{"10.1.0.0/16", "fd12::/16", "127.0.0.1"};
  for (const auto* address : {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::1", "fd12::1", "127.0.0.1"}) EXPECT_TRUE(allowed(address, some)) << address;
  for (const auto* address : {"10.2.0.0", "10.0.255.255", "127.0.0.2", "::1", "fd13::1", "::ffff:10.2.0.1"}) EXPECT_FALSE(allowed(address, some)) << address;
  for (const auto* address : {"93.184.215.14", "2606:2800::1"}) EXPECT_TRUE(allowed(address, some)) << address;
}

TEST(Network, OpensNoMetadata) {
  const std::vector<std::string> all{"0.0.0.0/0", "::/0"};
  for (const auto* address : {"10.1.2.3", "::1"}) EXPECT_TRUE(allowed(address, all)) << address;
  for (const auto* address : {"169.254.169.254", "0.0.0.0", "100.100.100.200", "fe80::1", "fd00:ec2::254"}) EXPECT_FALSE(allowed(address, all)) << address;
}

TEST(Network, WhatIsNoneIsNamed) {
  for (const auto* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8", "fd00::/129", "example.org", "10.0.0.0/8 ", "10.0.0.0/8/8"}) {
    auto refused = parse_network(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().message, HasSubstr(text)) << text;
  }
}

}  // namespace
}  // namespace lo::dataset
