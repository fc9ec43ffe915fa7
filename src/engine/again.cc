// Making steps anew: what a person asks for again, what its input's new revision asks for, what is made again whenever its inputs are.
#include <algorithm>
#include <fmt/format.h>

#include "base/log.h"
#include "engine/conductor_impl.h"
#include "engine/schedule.h"

namespace lo::engine {

using catalog::Parent;
using catalog::Revision;

namespace {

bool amends(const Revision& revision) {
  return std::ranges::any_of(revision.parents, [&](const Parent& parent) { return parent.key.step == revision.key.step; });
}

// An amendment that failed by itself or was cancelled left the result as it was.
bool counts(const Revision& revision) {
  auto failed = revision.state == State::failed && revision.reason != Reason::upstream_failed;
  return !failed && revision.state != State::cancelled;
}

}  // namespace

Revise again(const Revision& revision) {
  Revise revise{.name = revision.name,
                .kind = amends(revision) ? Revise::Kind::amend : Revise::Kind::rerun,
                .operation = revision.operation,
                .request = revision.request,
                .mentions = {},
                .scheduled_for = scheduled_for(revision.facts),
                .backfill = revision.facts.contains(kBackfill)};
  for (const auto& parent : revision.parents) revise.mentions.push_back({.text = parent.name, .pointer = ""});
  return revise;
}

std::vector<Revise> again(const std::vector<Revision>& revisions) {
  auto first = std::ranges::find_if_not(revisions.rbegin(), revisions.rend(), amends);
  auto at = first == revisions.rend() ? revisions.begin() : std::prev(first.base());
  std::vector<Revise> requests{again(*at)};
  for (++at; at != revisions.end(); ++at)
    if (counts(*at)) requests.push_back(again(*at));
  return requests;
}

// Requests that are made one after another; refusals do not hold up the others.
struct Conductor::Impl::Series {
  Series(std::vector<Revise> all, Callback<Result<Accepted>> when_done) : requests(std::move(all)), done(std::move(when_done)) {}

  std::vector<Revise> requests;
  std::size_t next = 0;
  std::size_t open = 0;  // that are not answered yet
  Result<Accepted> outcome = fail(Code::not_found, "nothing is left of the step");  // the first refusal, or what was accepted last
  Callback<Result<Accepted>> done;

  bool amended_next() const { return next > 0 && next < requests.size() && requests[next].name == requests[next - 1].name; }

  void take(Result<Accepted> accepted, bool is_first) {
    --open;
    if (!accepted) log::info("engine: a step is not made again: {}", accepted.error().message);
    if (is_first || outcome) outcome = std::move(accepted);
  }
};

void Conductor::Impl::rerun(const std::string& name, bool cascade, OnlyIf only_if, std::optional<catalog::Receipt> receipt,
                            Callback<Result<Accepted>> done) {
  const auto* entry = registry_.find(name);
  if (entry == nullptr) return done(fail(Code::not_found, fmt::format("there is no step \"{}\"", name)));
  How how{.kind = Revise::Kind::rerun, .cascade = cascade, .only_if = std::move(only_if), .receipt = std::move(receipt)};
  run_again({entry->step.id}, std::move(how), std::move(done));
}

void Conductor::Impl::backfill(const std::vector<std::string>& names, WallTime scheduled_for, std::optional<catalog::Receipt> receipt,
                               Callback<Status> done) {
  std::vector<catalog::StepId> steps;
  for (const auto& name : names) {
    const auto* entry = registry_.find(name);
    if (entry == nullptr) return done(fail(Code::not_found, fmt::format("there is no step \"{}\"", name)));
    auto runs = [](const auto& revision) { return revision.second.state == State::running || revision.second.state == State::queued; };
    if (std::ranges::any_of(entry->revisions, runs))
      return done(fail(Code::conflict, fmt::format("the step \"{}\" has not ended: cancel it first, or wait", name)));
    steps.push_back(entry->step.id);
  }
  run_again(std::move(steps), {.kind = Revise::Kind::replace, .scheduled_for = scheduled_for, .backfill = true, .receipt = std::move(receipt)},
            [done = std::move(done)](Result<Accepted> accepted) mutable { done(accepted ? Status{} : std::unexpected(accepted.error())); });
}

// Steps that failed only because this one had: they are tried again with what it will give now.
void Conductor::Impl::revive_children(catalog::StepId step) {
  run_again(registry_.failed_by_upstream(step), {.kind = Revise::Kind::rerun, .automatic = true}, [](auto) {});
}

// Each binds to the revision that the one before it has just got, and waits for it.
void Conductor::Impl::run_descendants(catalog::StepId step, Callback<Result<Accepted>> done) {
  run_again(registry_.descendants_in_order(step), {.kind = Revise::Kind::replace, .automatic = true}, std::move(done));
}

// Those of its children, and itself, that ask for it: because they were made from an older result.
void Conductor::Impl::update(catalog::StepId step) {
  run_again(registry_.auto_updated(step), {.kind = Revise::Kind::rerun, .automatic = true}, [](auto) {});
}

// In this order, each as `how` says; done once the last one is on disk. What cannot be run again is left as it is, which its
// staleness shows.
void Conductor::Impl::run_again(std::vector<catalog::StepId> steps, How how, Callback<Result<Accepted>> done) {
  if (steps.empty()) return done(Accepted{});
  ports_.pool->post([self = shared_from_this(), steps = std::move(steps), how = std::move(how), done = std::move(done)]() mutable {
    std::vector<Revise> requests;
    for (auto step : steps) {
      auto revisions = self->ports_.catalog->revisions(step);
      if (!revisions || revisions->empty()) continue;
      for (auto& request : again(*revisions)) {
        if (request.kind != Revise::Kind::amend) request.kind = how.kind;
        request.automatic = how.automatic;
        request.backfill = how.backfill || (request.backfill && !how.scheduled_for);
        if (how.automatic || how.scheduled_for) request.scheduled_for = how.scheduled_for;
        requests.push_back(std::move(request));
      }
    }
    if (!requests.empty()) {
      requests.front().only_if = std::move(how.only_if);
      requests.back().cascade = how.cascade;
      requests.back().receipt = std::move(how.receipt);
    }
    self->on_strand([series = std::make_shared<Series>(std::move(requests), std::move(done))](Impl& impl) { impl.revise_next(series); });
  });
}

// An amendment waits until what it amends is accepted; all else is asked for at once.
void Conductor::Impl::revise_next(const std::shared_ptr<Series>& series) {
  bool waits = false;
  while (series->next < series->requests.size() && !waits) {
    auto is_first = series->next == 0;
    auto request = std::move(series->requests[series->next++]);
    series->requests[series->next - 1].name = request.name;
    if (request.scheduled_for > ports_.clock->now()) request.scheduled_for.reset();  // it is asked for now
    waits = series->amended_next();
    ++series->open;
    revise(std::move(request), [self = shared_from_this(), series, is_first, waits](Result<Accepted> accepted) {
      auto refused = !accepted;
      series->take(std::move(accepted), is_first);
      while (refused && series->amended_next()) ++series->next;
      if (waits || (series->open == 0 && series->next == series->requests.size())) self->revise_next(series);
    });
  }
  if (series->open == 0 && series->next == series->requests.size() && series->done) std::exchange(series->done, nullptr)(std::move(series->outcome));
}

}  // namespace lo::engine
