#include "serve/environments.h"

#include "base/json.h"
#include "run/leftovers.h"

namespace lo::serve {

constexpr std::string_view kFact = "environmentDigest";

std::string environment_of(const catalog::Revision& revision) { return string_or(revision.facts, kFact); }

Result<std::set<std::string>> used_environments(catalog::Catalog& catalog) {
  std::set<std::string> used;
  LO_TRY(catalog.each_revision({.facts = {kFact}}, [&](const catalog::Revision& revision) {
    if (auto digest = environment_of(revision); !digest.empty()) used.insert(std::move(digest));
  }));
  return used;
}

Status remove_unused_environments(catalog::Catalog& catalog, const std::filesystem::path& data) {
  std::error_code none;
  if (std::filesystem::is_empty(data / "environments", none) || none) return {};  // as nearly always: the catalog need not be read
  LO_ASSIGN(auto used, used_environments(catalog));
  run::remove_environments_but(data, used);
  return {};
}

}  // namespace lo::serve
