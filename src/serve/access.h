// Who may connect to the server, and what it may connect to: as the options say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataset/download.h"
#include "http/server.h"
#include "serve/options.h"

namespace lo::serve {

// Reads the file of tokens. Code::unacceptable naming the option that is missing or wrong: beyond loopback there must be tokens, and a proxy that speaks
// TLS, because tokens that are sent in the clear are nobody's secret.
Result<http::Access> read_access(const Options& options);

// Which addresses URLs of requests may lead to: private ones where only this machine's users connect, else those of --allow-url.
Result<dataset::UrlPolicy> read_url_policy(const Options& options);

// The same for what workers fetch: networks, nothing where private ones are all allowed.
std::optional<std::vector<std::string>> private_networks(const Options& options);

}  // namespace lo::serve
