// `orchestra catalog copy`: takes a data folder's catalog into a PostgreSQL, or back into the folder.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace lo::serve {

struct CatalogCopied {
  std::int64_t steps = 0, events = 0;
  std::string left;  // the file that was the folder's catalog and now is not, if there is one
};

// One of the two is a data folder, the other the URL of a PostgreSQL. The folder's catalog is the copy afterwards; what it was copied from stays: a
// file under another name. Killed at any moment, the folder has the old catalog or the new one, or is refused by a server until the same
// copy is made again. Code::conflict when a server has either of them, when there is something in the PostgreSQL already, or the folder is not
// that of the PostgreSQL's catalog, whose results lie in it; Code::not_found when there is nothing to copy; Code::unacceptable when not one of them is a folder.
Result<CatalogCopied> copy_catalog(const std::string& from, const std::string& to);

}  // namespace lo::serve
