#include "serve/backup_needs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>

#include "run/log_writer.h"
#include "serve/environments.h"
#include "store/digest.h"

namespace lo::serve {
namespace {

constexpr std::ptrdiff_t kMostNames = 20;

std::string log_folder_of(catalog::StepId step) {
  return run::log_path({}, {.step = step, .revision = 1}, 1).parent_path().filename().string();
}

Status check_digests(const std::set<std::string>& digests) {
  auto wrong = std::ranges::find_if_not(digests, store::is_digest);
  if (wrong == digests.end()) return {};
  return fail(Code::corrupt, fmt::format("the catalog is damaged: '{}' is not a digest", *wrong));
}

}  // namespace

Result<Needs> needs_of(catalog::Catalog& catalog) {
  Needs needs;
  LO_ASSIGN(needs.objects, catalog.live_digests());
  LO_ASSIGN(auto steps, catalog.all_steps());
  LO_ASSIGN(needs.environments, used_environments(catalog));
  needs.steps = steps.size();
  for (const auto& step : steps) needs.logs.insert(log_folder_of(step.id));
  LO_TRY(check_digests(needs.objects));
  LO_TRY(check_digests(needs.environments));
  return needs;
}

Result<Holders> holders_of(catalog::Catalog& catalog, const std::set<std::string>& digests) {
  Holders holders;
  auto is_asked_for = [&](const std::string& digest) { return digests.contains(digest); };
  LO_ASSIGN(auto briefs, catalog.all_revisions());
  for (const auto& brief : briefs) {
    LO_ASSIGN(auto revision, catalog.revision(brief.key));
    if (!revision) continue;
    if (is_asked_for(environment_of(*revision)) || std::ranges::any_of(catalog::digests_in(*revision), is_asked_for))
      holders.emplace(brief.key, brief.name);
  }
  return holders;
}

std::string quoted_names(const Holders& holders) {
  std::set<std::string> names;
  for (const auto& [key, name] : holders) names.insert(fmt::format("\"{}\"", name));
  auto shown = names | std::views::take(kMostNames);
  auto text = fmt::format("{}", fmt::join(shown, ", "));
  return std::ssize(names) > kMostNames ? fmt::format("{} and {} more", text, std::ssize(names) - kMostNames) : text;
}

}  // namespace lo::serve
