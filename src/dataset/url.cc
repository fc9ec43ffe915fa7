#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <algorithm>
#include <memory>

#include "dataset/download.h"
#include "dataset/shown.h"

namespace lo::dataset {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

// A part of the URL as libcurl, which will use it, understands it; empty when there is none.
std::string part(const Url& url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url.get(), which, &text, 0) != CURLUE_OK) return {};
  std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  return text;
}

// A space, control character or backslash is read one way here and another way there.
bool is_dubious(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\'; }

Status check_literal(const std::string& host, const UrlPolicy& policy) {
  sockaddr_in in{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  // inet_aton takes the decimal, octal, hexadecimal and shortened forms too, as resolvers do.
  if (::inet_aton(host.c_str(), &in.sin_addr) != 0) return check_address(reinterpret_cast<const sockaddr&>(in), policy);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  auto bare = host.substr(0, host.find('%'));  // without a zone
  bare.erase(std::remove_if(bare.begin(), bare.end(), [](char c) { return c == '[' || c == ']'; }), bare.end());
  if (::inet_pton(AF_INET6, bare.c_str(), &in6.sin6_addr) == 1)
    return check_address(reinterpret_cast<const sockaddr&>(in6), policy);
  return {};
}

}  // namespace

Status check_url(std::string_view text, std::string_view pointer, const UrlPolicy& policy) {
  auto refuse = [&](std::string_view why) {
    return fail_field(Code::unacceptable, std::string(pointer), fmt::format("the URL {} {}", shown(text), why));
  };
  if (std::ranges::any_of(text, is_dubious)) return refuse("holds a space, a control character or a backslash");
  if (text.substr(std::min(text.find(':'), text.size())).starts_with(":///")) return refuse("names no host");
  Url url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return refuse("cannot be read: it begins with http:// or https:// and names a host");
  auto scheme = part(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refuse("is neither http nor https");
  auto host = part(url, CURLUPART_HOST);
  if (host.empty()) return refuse("names no host");
  if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty())
    return refuse("holds a user name or password");
  auto literal = check_literal(host, policy);
  return literal ? Status() : refuse(fmt::format("is refused: {}", literal.error().message));
}

}  // namespace lo::dataset
