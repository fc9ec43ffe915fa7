// Revisions that nobody needs any more.
#include <algorithm>
#include <ranges>

#include "engine/conductor_impl.h"

namespace lo::engine {

// Cancelled, while its attempt still has its cost to report.
bool Conductor::Impl::is_leaving_its_process(RevisionKey key) const {
  return std::ranges::any_of(std::views::values(runs_), [&](const Run& run) { return run.records.contains(key); });
}

// They leave the registry before the commit, so that nothing is bound to them meanwhile.
void Conductor::Impl::retire(Retention keep, bool dry_run, Callback<Result<std::vector<Retired>>> done) {
  std::vector<Retired> retired;
  for (auto key : registry_.superseded(keep))
    if (!is_leaving_its_process(key)) retired.push_back({.name = registry_.name_of(key), .key = key});
  if (dry_run || retired.empty()) return done(std::move(retired));
  catalog::Batch batch;
  std::vector<Brief> briefs;
  for (const auto& one : retired) {
    briefs.push_back(*registry_.find(one.key));
    registry_.remove_revision(one.key);
    batch.emplace_back(catalog::RemoveRevision{one.key});
  }
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), retired = std::move(retired), briefs = std::move(briefs),
                                            done = std::move(done)](Status status) mutable {
    self->on_strand([retired = std::move(retired), briefs = std::move(briefs), done = std::move(done), status](Impl& impl) mutable {
      if (status) return done(std::move(retired));
      for (std::size_t i = 0; i < retired.size(); ++i) impl.registry_.restore_revision(retired[i].key, std::move(briefs[i]));
      done(std::unexpected(status.error()));
    });
  });
}

}  // namespace lo::engine
