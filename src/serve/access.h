// Who may connect to the server, and what it may connect to: as the options say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataset/download.h"
#include "http/server.h"
#include "serve/options.h"
#include "serve/reread.h"

namespace lo::serve {

// Reads the files of tokens and certificates. Code::unacceptable naming the option that is missing or wrong: beyond loopback there must be tokens, and TLS,
// the server's or a proxy's, because tokens that are sent in the clear are nobody's secret.
Result<http::Access> read_access(const Options& options);

// Those files, to be read into `access` again when they change.
std::vector<RereadFiles> files_of_access(const Options& options, const http::Access& access);

// How clients on this machine reach the server that listens on `port`: by the name that the certificate may have, where there is one.
std::string url_of(const Options& options, std::uint16_t port);

// Which addresses URLs of requests may lead to: private ones where only this machine's users connect, else those of --allow-url.
Result<dataset::UrlPolicy> read_url_policy(const Options& options);

// The same for what workers fetch: networks, nothing where private ones are all allowed.
std::optional<std::vector<std::string>> private_networks(const Options& options);

}  // namespace lo::serve
