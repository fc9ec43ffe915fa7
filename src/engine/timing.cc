// What the clock brings: pauses that are over, scheduled steps, cron schedules.
#include <algorithm>
#include <fmt/format.h>

#include "base/log.h"
#include "engine/conductor_impl.h"
#include "engine/schedule.h"

namespace lo::engine {

using catalog::Revision;

namespace {

// Wall clocks are set forward and back: nobody sleeps longer than this without looking.
constexpr Duration kLongestSleep = std::chrono::minutes{1};

}  // namespace

void Conductor::Impl::arm_timer() {
  if (stopping_) return;
  std::optional<Duration> wait;
  auto sooner = [&](Duration duration) { wait = std::min(wait.value_or(duration), duration); };
  if (auto at = plan_.next_wake()) sooner(*at - ports_.clock->steady());
  for (auto due : {plan_.next_due(), timetable_.next()})
    if (due) sooner(std::min<Duration>(*due - ports_.clock->now(), kLongestSleep));
  if (!wait) return;
  wake_.expires_after(*wait);
  wake_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (!error) self->look_at_clock();
  });
}

void Conductor::Impl::look_at_clock() {
  if (stopping_) return;
  for (auto firing : timetable_.take_due(ports_.clock->now())) fire(firing);
  carry_out(plan_.tick(ports_.clock->steady(), ports_.clock->now()));
}

// What the newest revision that its service made says of the step's future, once it is on disk or cancelled.
void Conductor::Impl::follow_schedule(const Revision& revision) {
  const auto* entry = registry_.find(revision.key.step);
  if (entry == nullptr || entry->leaving || entry->newest_own() != revision.key.revision || revision.operation != entry->step.service) return;
  auto schedule = read_schedule(revision.request);
  if (!schedule) log::error("engine: the schedule of \"{}\" is not followed: {}", entry->step.name, schedule.error().message);
  if (revision.state == State::cancelled || !schedule || !*schedule || !(*schedule)->cron) return timetable_.forget(revision.key.step);
  auto last = revision.facts.contains(kBackfill) ? revision.accepted : scheduled_for(revision.facts).value_or(revision.accepted);
  timetable_.follow(revision.key.step, std::move(**schedule), last);
}

// A step that still runs, from the time before, is left in peace; its end looks here again.
void Conductor::Impl::fire(Timetable::Firing firing) {
  const auto* entry = registry_.find(firing.step);
  if (entry == nullptr || entry->leaving || entry->busy()) return;
  run_again({firing.step}, {.kind = Revise::Kind::rerun, .scheduled_for = firing.scheduled_for}, [self = shared_from_this(), firing](Result<Accepted> accepted) {
    if (accepted) return;  // which the timetable knows
    self->timetable_.skip(firing);
    self->arm_timer();
  });
}

// The run that would come next is cancelled before it begins: the step's newest revision says so, and there is none after it.
void Conductor::Impl::end_schedule(const std::string& name, OnlyIf only_if, Callback<Status> done) {
  const auto* entry = registry_.find(name);
  RevisionKey own{.step = entry->step.id, .revision = entry->newest_own()};
  ports_.pool->post([self = shared_from_this(), name, own, only_if = std::move(only_if), done = std::move(done)]() mutable {
    auto last = self->ports_.catalog->revision(own);
    self->on_strand([name, own, last = std::move(last), only_if = std::move(only_if), done = std::move(done)](Impl& impl) mutable {
      if (!last) return done(std::unexpected(last.error()));
      const auto* now = impl.registry_.find(name);
      if (now == nullptr || now->busy() || now->newest_own() != own.revision || !*last) return impl.cancel(name, only_if, std::move(done));
      if (auto same = impl.check_version(only_if, *now); !same) return done(std::unexpected(same.error()));
      impl.end_schedule_with(std::move(**last), std::move(done));
    });
  });
}

void Conductor::Impl::end_schedule_with(Revision last, Callback<Status> done) {
  auto step = last.key.step;
  RevisionKey key{.step = step, .revision = registry_.find(step)->newest() + 1};
  auto revision = new_revision(key, last.name, last.operation, last.job, std::move(last.request), std::move(last.parents));
  revision.state = State::cancelled;
  revision.ended = revision.accepted;
  set_scheduled_for(revision.facts, timetable_.next_of(step));
  registry_.add_revision(revision);
  catalog::Batch batch;
  batch.emplace_back(catalog::AddEvent{event_of(revision, "cancelled")});
  batch.emplace_back(catalog::AddRevision{revision});
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), revision = std::move(revision), done = std::move(done)](Status status) mutable {
    self->on_strand([revision = std::move(revision), done = std::move(done), status](Impl& impl) mutable {
      if (status)
        impl.follow_schedule(revision);
      else
        impl.registry_.remove_revision(revision.key);
      done(status);
    });
  });
}

}  // namespace lo::engine
