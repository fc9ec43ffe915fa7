// What a web server says by which a resource is known to be the same (RFC 9110, 8.8). Blocks; any thread.
#pragma once

#include <optional>
#include <string>

#include "dataset/download.h"

namespace lo::dataset {

// ETag, Last-Modified and length of what `url` leads to, as one text that is equal as long as they are: by a HEAD request, with the rules
// for redirects and addresses that downloads have. Nothing when the server names neither an ETag nor a time, refuses, or is not reached.
std::optional<std::string> validators_of(const std::string& url, const DownloadOptions& options);

}  // namespace lo::dataset
