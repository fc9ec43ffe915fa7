// Ending and deleting steps, and ending the server's own work.
#include <algorithm>
#include <fmt/format.h>
#include <ranges>

#include "engine/conductor_impl.h"

namespace lo::engine {

void Conductor::Impl::cancel(const std::string& name, const OnlyIf& only_if, Callback<Status> done) {
  const auto* entry = registry_.find(name);
  if (entry == nullptr) return done(fail(Code::not_found, fmt::format("there is no step \"{}\"", name)));
  if (auto same = check_version(only_if, *entry); !same) return done(std::unexpected(same.error()));
  const auto& newest = entry->revisions.at(entry->newest());
  if (!entry->busy()) {
    if (timetable_.contains(entry->step.id)) return end_schedule(name, only_if, std::move(done));
    if (newest.state == State::cancelled) return done({});
    return done(fail(Code::conflict, fmt::format("the step \"{}\" has ended: {}", name, to_string(newest.state))));
  }
  Decisions decisions;
  auto id = entry->step.id;
  for (auto number : std::views::keys(std::map(entry->revisions)))
    std::ranges::move(plan_.cancel({.step = id, .revision = number}), std::back_inserter(decisions));
  if (decisions.empty())
    return done(fail(Code::conflict, fmt::format("the step \"{}\" is just being accepted: try again", name)));
  carry_out(std::move(decisions));
  // Commits are done in order: when this empty one is, so is the cancellation.
  ports_.catalog->commit({}, [done = std::move(done)](Status status) mutable { done(status); });
}

void Conductor::Impl::remove(const std::string& name, const std::string& service, bool cascade, const OnlyIf& only_if,
                             Callback<Result<Removed>> done) {
  const auto* entry = registry_.find(name);
  if (entry == nullptr || entry->leaving || entry->step.service != service)
    return done(fail(Code::not_found, fmt::format("there is no {} \"{}\"", service, name)));
  if (auto same = check_version(only_if, *entry); !same) return done(std::unexpected(same.error()));
  auto steps = registry_.descendants(entry->step.id);
  if (!cascade && !steps.empty())
    return done(fail(Code::conflict, fmt::format("\"{}\" is used by \"{}\"{}: delete that first, or ask for ?cascade=true", name,
                                                 registry_.find(steps.front())->step.name,
                                                 steps.size() > 1 ? fmt::format(" and {} more", steps.size() - 1) : "")));
  if (!cascade && entry->busy())
    return done(fail(Code::conflict, fmt::format("\"{}\" has not ended: cancel it first, or ask for ?cascade=true", name)));
  std::ranges::reverse(steps);
  steps.push_back(entry->step.id);
  for (auto id : steps)
    if (const auto& each = *registry_.find(id); each.leaving)
      return done(fail(Code::conflict, fmt::format("\"{}\", which was made from it, is being deleted: try again", each.step.name)));
  for (auto id : steps)
    for (const auto& [number, brief] : registry_.find(id)->revisions)
      if (!is_terminal(brief.state) && !plan_.contains({.step = id, .revision = number}))
        return done(fail(Code::conflict, fmt::format("\"{}\" is just being changed: try again", registry_.find(id)->step.name)));
  drop(steps, std::move(done));
}

// Children first. What has not ended is cancelled in the commit before.
void Conductor::Impl::drop(const std::vector<StepId>& steps, Callback<Result<Removed>> done) {
  Removed removed;
  Decisions decisions;
  catalog::Batch batch;
  for (auto id : steps) {
    const auto& entry = *registry_.find(id);
    removed.steps.push_back(entry.step);
    for (auto number : std::views::keys(std::map(entry.revisions)))
      std::ranges::move(plan_.cancel({.step = id, .revision = number}), std::back_inserter(decisions));
    registry_.set_leaving(id, true);
  }
  carry_out(std::move(decisions));
  for (const auto& step : removed.steps) {
    catalog::Event event;
    event.at = ports_.clock->now();
    event.name = step.name;
    event.service = step.service;
    event.type = "deleted";
    event.data = {{"name", step.name}, {"type", step.service}, {"status", "deleted"}, {"finished", true}};
    batch.emplace_back(catalog::RemoveStep{step.id});
    batch.emplace_back(catalog::AddEvent{std::move(event)});
  }
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), removed = std::move(removed),
                                            done = std::move(done)](Status status) mutable {
    asio::post(self->strand_, [self, removed = std::move(removed), done = std::move(done), status]() mutable {
      for (const auto& step : removed.steps)
        status ? self->forget_step(step.id) : self->registry_.set_leaving(step.id, false);
      if (!status) return done(std::unexpected(status.error()));
      done(std::move(removed));
    });
  });
}

void Conductor::Impl::forget_step(StepId id) {
  registry_.remove_step(id);
  timetable_.forget(id);
}

void Conductor::Impl::shutdown(std::move_only_function<void()> done) {
  stopping_ = true;
  wake_.cancel();
  ports_.runner->shutdown([self = shared_from_this(), done = std::move(done)]() mutable {
    self->on_strand([done = std::move(done)](Impl& impl) mutable {
      catalog::Batch batch;
      for (auto& [key, revision] : impl.active_) {
        if (revision.state != State::running) continue;
        revision.state = State::queued;
        batch.emplace_back(catalog::UpdateRevision{revision});
        batch.emplace_back(catalog::AddEvent{impl.event_of(revision, "queued")});
      }
      impl.ports_.catalog->commit(std::move(batch), [done = std::move(done)](Status) mutable { done(); });
    });
  });
}

}  // namespace lo::engine
