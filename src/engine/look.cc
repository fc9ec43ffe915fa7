// What can be seen of a step beyond the catalog: why it waits, whether it is stale, its lineage.
#include <algorithm>

#include "engine/conductor_impl.h"

namespace lo::engine {

std::optional<Standing> Conductor::Impl::standing(const std::string& name) const {
  const auto* entry = registry_.find(name);
  if (entry == nullptr) return std::nullopt;
  Standing standing;
  RevisionKey newest{.step = entry->step.id, .revision = entry->newest()};
  standing.of = {.step = newest.step, .revision = newest.revision, .state = entry->revisions.at(newest.revision).state};
  auto wait = plan_.why(newest);
  for (auto parent : wait.parents) standing.waits_for.push_back(registry_.name_of(parent));
  standing.queue_place = wait.queue_place;
  standing.short_of = std::move(wait.short_of);
  if (wait.retry_at)
    standing.retry_in = std::chrono::duration<double>(*wait.retry_at - ports_.clock->steady()).count();
  standing.due = wait.due;
  standing.next_run = timetable_.next_of(newest.step);
  standing.stale = registry_.stale_because(newest.step);
  standing.newest_parents = registry_.newest_parents(newest.step);
  return standing;
}

Lineage::Node Conductor::Impl::node_of(const Entry& entry) const {
  return {.name = entry.step.name,
          .service = entry.step.service,
          .revision = entry.newest(),
          .state = entry.revisions.at(entry.newest()).state,
          .stale = registry_.stale_because(entry.step.id)};
}

std::optional<Lineage> Conductor::Impl::lineage(const std::string& name, Direction direction) const {
  const auto* entry = registry_.find(name);
  if (entry == nullptr) return std::nullopt;
  std::vector<catalog::StepId> steps;
  if (direction != Direction::down) steps = registry_.ancestors(entry->step.id);
  std::ranges::reverse(steps);
  steps.push_back(entry->step.id);
  if (direction != Direction::up) std::ranges::copy(registry_.descendants_in_order(entry->step.id), std::back_inserter(steps));
  Lineage lineage;
  std::set<catalog::StepId> shown(steps.begin(), steps.end());
  for (auto id : steps) {
    const auto& to = *registry_.find(id);
    lineage.nodes.push_back(node_of(to));
    for (const auto& parent : to.inputs_of(to.newest()))
      if (shown.contains(parent.key.step) && parent.key.step != id)
        lineage.edges.push_back({.from = registry_.name_of(parent.key), .to = to.step.name, .revision = parent.key.revision, .reference = parent.name});
  }
  return lineage;
}

}  // namespace lo::engine
