// Where the file of a dataset may be: http and https, which libcurl reads (download.h), and s3 and hdfs, which a process of their own reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dataset/download.h"

namespace lo::dataset {

// What whoever runs the server has set up.
struct RemotePolicy {
  bool s3 = false;                     // credentials are there
  std::vector<std::string> hdfs = {};  // name nodes that may be asked, each "host:port"
};

// Whether it begins with s3:// or hdfs://.
bool is_remote(std::string_view url);

// What can be said of a URL before it is opened. For http and https see check_url. s3://BUCKET/KEY, taken literally: %20 and ? are
// characters of the key; hdfs://HOST:PORT/PATH, port 8020 where none is given, of a name node of `remote`. Neither holds a user name
// or password. Code::unacceptable at `pointer`, naming the URL, or what has to be set up.
Status check_location(std::string_view url, std::string_view pointer, const UrlPolicy& urls, const RemotePolicy& remote);

}  // namespace lo::dataset
