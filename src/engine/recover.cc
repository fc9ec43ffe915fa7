// After a start: everything that has not ended is taken up again.
#include <algorithm>
#include <fmt/format.h>
#include <ranges>
#include <set>

#include "base/log.h"
#include "engine/cache_key.h"
#include "engine/conductor_impl.h"
#include "engine/schedule.h"

namespace lo::engine {

using catalog::Revision;

namespace {

// What the death of the last server means for a revision that was running.
void count_loss(Revision& revision) {
  if (revision.state != State::running) return;
  ++revision.lost;
  revision.state = State::queued;
}

// What came and went while no server was there: the first run of a cron schedule may be for a later time than it was.
void make_up(Revision& revision, WallTime now) {
  auto due = scheduled_for(revision.facts);
  auto schedule = read_schedule(revision.request);
  if (revision.state != State::scheduled || !due || !schedule || !*schedule || !(*schedule)->cron) return;
  set_scheduled_for(revision.facts, next_run(**schedule, *due, now));
}

}  // namespace

Status Conductor::Impl::recover() {
  LO_TRY(ports_.catalog->each_step([this](catalog::Step step) { registry_.add_step(std::move(step)); }));
  LO_TRY(ports_.catalog->each_revision(kRemembered, [this](const Revision& revision) {
    if (is_terminal(revision.state)) take_in(revision);
  }));
  LO_ASSIGN(auto open, ports_.catalog->open_revisions());
  for (auto& revision : open) {
    count_loss(revision);
    make_up(revision, ports_.clock->now());
    take_in(revision);
    active_[revision.key] = revision;
  }
  std::set<RevisionKey> again;
  for (const auto& revision : open) again.insert(revision.key);
  ports_.runner->forget_all_but(std::move(again));
  if (!open.empty()) log::info("engine: {} revisions had not ended: they are taken up again", open.size());
  LO_ASSIGN(auto pauses, read_pauses(open));
  on_strand([open = std::move(open), pauses = std::move(pauses)](Impl& impl) mutable { impl.take_up(std::move(open), pauses); });
  return {};
}

// Whole, or in outline when it has ended.
void Conductor::Impl::take_in(const Revision& revision) {
  registry_.add_revision(revision);
  follow_schedule(revision);
}

// A job whose last attempt failed goes on with its pause where it was. The clock may have jumped meanwhile: never longer than a whole one.
Result<Conductor::Impl::Pauses> Conductor::Impl::read_pauses(const std::vector<Revision>& open) const {
  Pauses pauses;
  for (const auto& revision : open) {
    if (revision.state != State::queued || revision.attempts == 0) continue;
    LO_ASSIGN(auto attempts, ports_.catalog->attempts(revision.key.step));
    auto newest_first = attempts | std::views::reverse;
    auto last = std::ranges::find(newest_first, revision.key, &catalog::Attempt::key);
    if (last == newest_first.end() || last->state != State::failed || !last->ended) continue;
    auto policy = read_policy(revision.request);
    if (!policy) continue;
    auto pause = retry_delay(policy->retry, revision.attempts + 1, revision.job);
    auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(ports_.clock->now() - *last->ended);
    pauses[revision.job] = ports_.clock->steady() + pause - std::clamp(passed, std::chrono::milliseconds{0}, pause);
  }
  return pauses;
}

void Conductor::Impl::take_up(std::vector<Revision> open, const Pauses& pauses) {
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
  if (!batch.empty()) save(std::move(batch), {});
  for (const auto& id : order) {
    auto pause = pauses.find(id);
    schedule(jobs.at(id), pause == pauses.end() ? std::nullopt : std::optional(pause->second));
  }
  for (const auto& revision : open)
    if (active_.contains(revision.key) && revision.operation == registry_.find(revision.key.step)->step.service)
      supersede(revision.key);
  run_again(registry_.auto_updated(), {.kind = Revise::Kind::rerun, .automatic = true}, [](auto) {});
  look_at_clock();
}

}  // namespace lo::engine
