// What a catalog refers to outside of itself: what a backup must hold.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "catalog/catalog.h"

namespace lo::serve {

struct Needs {
  std::size_t steps = 0;
  std::set<std::string> objects;       // digests, of the store
  std::set<std::string> environments;  // digests, which name folders below "environments"
  std::set<std::string> logs;          // folders below "logs", of steps that may have none
};

// Code::corrupt when something that should be a digest is none: it could name any file.
Result<Needs> needs_of(catalog::Catalog& catalog);

using Holders = std::map<catalog::RevisionKey, std::string>;  // with the names of their steps

// The revisions that refer to one of these objects or environments. Reads every revision: for messages.
Result<Holders> holders_of(catalog::Catalog& catalog, const std::set<std::string>& digests);

std::string quoted_names(const Holders& holders);  // "\"a\", \"b\" and 3 more"

}  // namespace lo::serve
