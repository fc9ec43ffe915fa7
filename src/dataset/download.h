// Reading over http and https. The address that is connected to is what is checked, at every redirect and for every address
// a name resolves to, so that a name which changes its address between check and connect gains nothing.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dataset/network.h"
#include "dataset/source.h"

struct sockaddr;

namespace lo::dataset {

struct UrlPolicy {
  bool allow_private = false;        // loopback and private networks; link-local and metadata addresses are refused always
  std::vector<Network> allowed = {};  // of those networks, where they are not allowed at all
};

struct DownloadOptions {
  UrlPolicy policy = {};
  int max_redirects = 5;
  std::chrono::seconds connect_timeout{20};
  std::chrono::seconds stall_timeout{60};   // without a byte
  std::chrono::seconds timeout{24 * 3600};  // in all
  int max_resumes = 5;                      // tries in a row that bring nothing new
  std::chrono::milliseconds resume_pause{1000};  // before the first of them; twice as long before each other
  std::string proxy = {};                   // none, whatever the environment says; when set, its address is what is checked
  bool accept_html = false;                 // a text/html answer is taken for an error page otherwise
};

// What can be said of a URL before it is opened: scheme http or https, a host, no user name or password, no control
// characters, and no address (in any of the forms that resolvers take) that `policy` refuses. Code::unacceptable at
// `pointer`, naming the URL.
Status check_url(std::string_view url, std::string_view pointer, const UrlPolicy& policy);

// Whether a connection to `address` (IPv4 or IPv6, IPv4-mapped and NAT64 forms unwrapped) is allowed. Code::forbidden naming
// it.
Status check_address(const sockaddr& address, const UrlPolicy& policy);

// Opens the URL and waits for the first bytes of its body. A body that breaks off or stalls is asked for from there on (Range), where the
// server said by an ETag or a Last-Modified what it sent, so that it cannot be the rest of another one. Opening and reading give, each naming the URL, Code::forbidden for
// a refused address, Code::not_found for 404 and 410, Code::unacceptable for any other status but 2xx and for an HTML page,
// Code::timeout, Code::cancelled at once when `stop` asks for it, Code::io when the server is not reached or breaks off.
Result<Source> open_url(const std::string& url, const DownloadOptions& options, std::stop_token stop = {});

}  // namespace lo::dataset
