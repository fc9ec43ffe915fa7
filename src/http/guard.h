// Which requests are refused before any handler sees them: what smuggles a second request, and what a foreign page makes a
// browser send (DNS rebinding, CSRF). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/router.h"
#include "http/tokens.h"

namespace lo::http {

struct Refusal {
  unsigned status = 400;
  std::string detail;
};
using Checked = std::expected<void, Refusal>;

// Where this server is: who is not addressed to it is refused.
struct Locality {
  std::string host;                     // the address that is bound, e.g. "127.0.0.1"
  std::uint16_t port = 0;
  std::vector<std::string> names = {};  // other values of Host, as is_host_value() takes them; without a port: with any
  bool tls = false;                     // pages are seen over https only
  bool behind_proxy = false;            // pages are seen over https, too, and on the ports of the schemes
};

// Whether a text can be such a name: "example.org", "10.1.2.3:8443", "[fd00::1]".
bool is_host_value(std::string_view text);

// 400 unless the length of the body can be read in one way only (RFC 9112, section 6.3): no Content-Length with
// Transfer-Encoding, none of them twice, digits only, no coding but chunked, none in HTTP/1.0. 417 for an Expect other than
// 100-continue. `version` is 10 or 11.
Checked check_framing(const Request& request, unsigned version);

// One Host, which is localhost, 127.0.0.1, [::1] or the bound address, with the bound port or none, or one of `names`; 403 for a foreign one, 400
// for none or several. `authority`, of a target in absolute form, must be as good where there is one.
Checked check_host(const Request& request, std::string_view authority, const Locality& here);

// 403 for an Origin that is not this server as Host names it, over the scheme that it speaks (behind a proxy over both); and for what changes something and comes, as
// Sec-Fetch-Site says, from another site. There is no CORS.
Checked check_origin(const Request& request, const Locality& here);

// Whose token the request brings, as `Authorization: Bearer <token>`; 401 without a known one.
std::expected<std::string, Refusal> check_token(const Request& request, const Tokens& tokens);

// 415 for a Content-Type that the route does not take, and for a body without one. "*" does not take text/plain and the two
// types of forms, which a page may send to any server without being asked.
Checked check_media(const Request& request, const Route& route, bool has_body);

}  // namespace lo::http
