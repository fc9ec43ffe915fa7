#include "serve/environments.h"

#include "base/json.h"
#include "run/leftovers.h"

namespace lo::serve {

Status remove_unused_environments(catalog::Catalog& catalog, const std::filesystem::path& data) {
  std::error_code none;
  if (std::filesystem::is_empty(data / "environments", none) || none) return {};  // as nearly always: the catalog need not be read
  LO_ASSIGN(auto revisions, catalog.all_revisions());
  std::set<std::string> used;
  for (const auto& revision : revisions)
    if (auto digest = string_or(revision.facts, "environmentDigest"); !digest.empty()) used.insert(std::move(digest));
  run::remove_environments_but(data, used);
  return {};
}

}  // namespace lo::serve
