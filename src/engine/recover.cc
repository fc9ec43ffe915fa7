// After a start: everything that has not ended is taken up again.
#include <algorithm>
#include <fmt/format.h>
#include <ranges>
#include <set>

#include "base/log.h"
#include "engine/conductor_impl.h"

namespace lo::engine {

using catalog::Revision;

namespace {

// What the death of the last server means for a revision that was running.
void count_loss(Revision& revision) {
  if (revision.state != State::running) return;
  ++revision.lost;
  revision.state = State::queued;
}

}  // namespace

Status Conductor::Impl::recover() {
  LO_ASSIGN(auto steps, ports_.catalog->all_steps());
  LO_ASSIGN(auto revisions, ports_.catalog->all_revisions());
  for (auto& step : steps) registry_.add_step(std::move(step));
  std::vector<Revision> open;
  for (auto& revision : revisions) {
    registry_.add_revision(revision);
    if (is_terminal(revision.state)) continue;
    count_loss(revision);
    active_[revision.key] = revision;
    open.push_back(std::move(revision));
  }
  std::set<RevisionKey> again;
  for (const auto& revision : open) again.insert(revision.key);
  ports_.runner->forget_all_but(std::move(again));
  if (open.empty()) return {};
  log::info("engine: {} revisions had not ended: they are taken up again", open.size());
  on_strand([open = std::move(open)](Impl& impl) mutable { impl.take_up(std::move(open)); });
  return {};
}

void Conductor::Impl::take_up(std::vector<Revision> open) {
  std::map<std::string, std::vector<RevisionKey>> jobs;
  std::vector<std::string> order;
  catalog::Batch batch;
  for (const auto& revision : open) {
    if (revision.lost > kMaxLost) {
      outcomes_[revision.key].exception =
          fmt::format("lost: the server ended {} times while the step was running", revision.lost);
      record({.key = revision.key, .state = State::failed, .reason = Reason::lost}, batch);
      continue;
    }
    batch.emplace_back(catalog::UpdateRevision{revision});
    if (!jobs.contains(revision.job)) order.push_back(revision.job);
    jobs[revision.job].push_back(revision.key);
  }
  save(std::move(batch), {});
  for (const auto& id : order) schedule(jobs.at(id));
  for (const auto& revision : open)
    if (active_.contains(revision.key) && revision.operation == registry_.find(revision.key.step)->step.service)
      supersede(revision.key);
}

}  // namespace lo::engine
