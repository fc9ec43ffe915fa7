// Taking in submissions and new revisions: names, bindings, durability before the answer.
#include <algorithm>
#include <fmt/format.h>

#include "base/id.h"
#include "engine/conductor_impl.h"
#include "engine/schedule.h"

namespace lo::engine {

using catalog::Parent;
using catalog::Revision;

namespace {

std::unexpected<Error> refuse_stopping() { return fail(Code::unavailable, "the server is stopping"); }

}  // namespace

Status Conductor::Impl::check_names(const Submission& submission) const {
  for (const auto& step : submission.steps)
    if (const auto* taken = registry_.find(step.name); taken != nullptr)
      return fail(Code::conflict, fmt::format("the name \"{}\" is taken by a {} step", step.name, taken->step.service));
  return {};
}

Status Conductor::Impl::check_version(const OnlyIf& only_if, const Entry& entry) const {
  Version version{.step = entry.step.id, .revision = entry.newest(), .state = entry.revisions.at(entry.newest()).state};
  if (!only_if || std::ranges::find(*only_if, version) != only_if->end()) return {};
  return fail(Code::precondition, fmt::format("the step \"{}\" is not what it was: it is at revision {}, {}", entry.step.name,
                                              version.revision, to_string(version.state)));
}

// What this server never has, nobody needs to wait for.
Status Conductor::Impl::check_resources(const json::object& request) const {
  LO_ASSIGN(auto policy, read_policy(request));
  LO_TRY(read_schedule(request));
  LO_TRY(read_cache(request));
  if (policy.limits.gpu > options_.gpu_capacity)
    return fail_field(Code::unacceptable, "/resources/gpu",
                      fmt::format("resources/gpu is {}, but this server has {} (serve --gpus)", policy.limits.gpu, options_.gpu_capacity));
  if (options_.memory_capacity > 0 && policy.limits.memory_bytes > options_.memory_capacity)
    return fail_field(Code::unacceptable, "/resources/memory",
                      fmt::format("resources/memory is {} bytes, but steps have {} here", *policy.limits.memory_bytes, options_.memory_capacity));
  return {};
}

Result<std::vector<Parent>> Conductor::Impl::bind(const std::vector<Mention>& mentions) const {
  std::vector<Parent> parents;
  for (const auto& mention : mentions) {
    LO_ASSIGN(auto parent, registry_.bind(mention.text, mention.pointer, mention.despite_failure));
    if (std::ranges::find(parents, parent) == parents.end()) parents.push_back(std::move(parent));
  }
  return parents;
}

std::vector<Status> Conductor::Impl::check(const std::vector<Question>& questions) const {
  std::vector<Status> out;
  for (const auto& question : questions) {
    auto status = check_resources(question.request);
    if (auto parents = bind(question.mentions); status && !parents) status = fail(std::move(parents).error());
    out.push_back(std::move(status));
  }
  return out;
}

Revision Conductor::Impl::new_revision(RevisionKey key, std::string name, std::string operation, std::string job,
                                       json::object request, std::vector<Parent> parents) const {
  Revision revision;
  revision.key = key;
  revision.name = std::move(name);
  revision.operation = std::move(operation);
  revision.job = std::move(job);
  revision.request = std::move(request);
  revision.parents = std::move(parents);
  revision.accepted = ports_.clock->now();
  return revision;
}

void Conductor::Impl::make_due(Revision& revision, std::optional<WallTime> time) const {
  set_scheduled_for(revision.facts, time);
  if (time && *time > revision.accepted) revision.state = State::scheduled;
}

void Conductor::Impl::remember(const Revision& revision) {
  registry_.add_revision(revision);
  active_[revision.key] = revision;
}

void Conductor::Impl::forget_unsaved(const std::vector<RevisionKey>& keys, bool with_steps) {
  for (auto key : keys) {
    active_.erase(key);
    registry_.remove_revision(key);
    if (with_steps) registry_.remove_step(key.step);
  }
}

void Conductor::Impl::submit(Submission submission, Callback<Result<std::vector<Accepted>>> done) {
  if (stopping_) return done(refuse_stopping());
  if (auto free = check_names(submission); !free) return done(std::unexpected(free.error()));
  for (const auto& step : submission.steps)
    if (auto fits = check_resources(step.request); !fits) return done(std::unexpected(fits.error()));
  auto parents = bind(submission.mentions);
  if (!parents) return done(std::unexpected(parents.error()));

  catalog::Batch batch;
  std::vector<Accepted> accepted;
  std::vector<RevisionKey> keys;
  auto job = make_token();
  for (auto& step : submission.steps) {
    RevisionKey key{.step = ports_.catalog->next_step_id(), .revision = 1};
    catalog::Step record{.id = key.step,
                         .name = step.name,
                         .service = step.service,
                         .created = ports_.clock->now(),
                         .labels = std::move(step.labels)};
    registry_.add_step(record);
    batch.emplace_back(catalog::AddStep{std::move(record)});
    auto revision = new_revision(key, step.name, step.service, job, std::move(step.request), *parents);
    if (auto schedule = read_schedule(revision.request); schedule && *schedule)
      make_due(revision, first_due(**schedule, revision.accepted));
    remember(revision);
    batch.emplace_back(catalog::AddEvent{event_of(revision, "accepted")});
    batch.emplace_back(catalog::AddRevision{std::move(revision)});
    accepted.push_back({.name = std::move(step.name), .key = key});
    keys.push_back(key);
  }
  if (submission.receipt) batch.emplace_back(catalog::PutReceipt{*std::move(submission.receipt)});
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), keys, accepted = std::move(accepted),
                                            done = std::move(done)](Status status) mutable {
    asio::post(self->strand_, [self, keys, accepted = std::move(accepted), done = std::move(done), status]() mutable {
      if (!status) {
        self->forget_unsaved(keys, true);
        return done(std::unexpected(status.error()));
      }
      for (auto key : keys) self->follow_schedule(self->active_.at(key));
      self->schedule(keys);
      done(std::move(accepted));
    });
  });
}

Result<std::vector<Parent>> Conductor::Impl::bind_revision(const Revise& revision, const Entry& entry) const {
  if (revision.kind != Revise::Kind::amend) return bind(revision.mentions);
  LO_ASSIGN(auto own, registry_.bind(entry.step.name, "/inputDatasetName"));
  return std::vector<Parent>{std::move(own)};
}

Status Conductor::Impl::check_no_cycle(const Entry& entry, const std::vector<Parent>& parents) const {
  auto below = registry_.descendants(entry.step.id);
  for (const auto& parent : parents)
    if (parent.key.step == entry.step.id || std::ranges::find(below, parent.key.step) != below.end())
      return fail(Code::unacceptable, fmt::format("\"{}\" is made from \"{}\": it cannot be its input as well", parent.name,
                                                  entry.step.name));
  return {};
}

Status Conductor::Impl::check_busy(const Revise& revision, const Entry& entry) const {
  if (entry.leaving) return fail(Code::conflict, fmt::format("the step \"{}\" is being deleted", entry.step.name));
  if (revision.kind == Revise::Kind::rerun && entry.busy())
    return fail(Code::conflict, fmt::format("the step \"{}\" has not ended: cancel it first", entry.step.name));
  for (const auto& [number, brief] : entry.revisions)
    if (!is_terminal(brief.state) && !plan_.contains({.step = entry.step.id, .revision = number}))
      return fail(Code::conflict, fmt::format("the step \"{}\" is just being changed: try again", entry.step.name));
  return {};
}

void Conductor::Impl::revise(Revise request, Callback<Result<Accepted>> done) {
  if (stopping_) return done(refuse_stopping());
  const auto* entry = registry_.find(request.name);
  if (entry == nullptr) return done(fail(Code::not_found, fmt::format("there is no step \"{}\"", request.name)));
  if (auto same = check_version(request.only_if, *entry); !same) return done(std::unexpected(same.error()));
  if (auto free = check_busy(request, *entry); !free) return done(std::unexpected(free.error()));
  if (auto fits = check_resources(request.request); !fits) return done(std::unexpected(fits.error()));
  auto parents = bind_revision(request, *entry);
  if (!parents) return done(std::unexpected(parents.error()));
  if (request.kind != Revise::Kind::amend)
    if (auto sound = check_no_cycle(*entry, *parents); !sound) return done(std::unexpected(sound.error()));

  auto scheduled_for = made_for(request, *parents);
  RevisionKey key{.step = entry->step.id, .revision = entry->newest() + 1};
  auto revision = new_revision(key, request.name, std::move(request.operation), make_token(), std::move(request.request),
                               std::move(*parents));
  make_due(revision, scheduled_for);
  if (request.automatic) revision.facts[kAutomatic] = true;
  if (request.backfill) revision.facts[kBackfill] = true;
  remember(revision);
  catalog::Batch batch;
  batch.emplace_back(catalog::AddEvent{event_of(revision, "accepted")});
  batch.emplace_back(catalog::AddRevision{std::move(revision)});
  if (request.receipt) batch.emplace_back(catalog::PutReceipt{*std::move(request.receipt)});
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), key, name = request.name, cascade = request.cascade,
                                            done = std::move(done)](Status status) mutable {
    asio::post(self->strand_, [self, key, name = std::move(name), cascade, done = std::move(done), status]() mutable {
      if (!status) {
        self->forget_unsaved({key}, false);
        return done(std::unexpected(status.error()));
      }
      self->supersede(key);
      self->follow_schedule(self->active_.at(key));
      self->schedule({key});
      auto answer = [accepted = Accepted{.name = std::move(name), .key = key}, done = std::move(done)](auto&&...) mutable { done(std::move(accepted)); };
      if (cascade) return self->run_descendants(key.step, std::move(answer));
      self->revive_children(key.step);
      answer();
    });
  });
}

// The time for which a new revision is made.
std::optional<WallTime> Conductor::Impl::made_for(const Revise& request, const std::vector<Parent>& parents) const {
  if (request.scheduled_for) return request.scheduled_for;
  if (request.automatic) {
    std::optional<WallTime> latest;
    for (const auto& parent : parents)
      if (const auto* brief = registry_.find(parent.key); brief != nullptr) latest = std::max(latest, brief->scheduled_for);
    return latest;
  }
  auto schedule = read_schedule(request.request);
  if (request.kind != Revise::Kind::replace || !schedule || !*schedule) return std::nullopt;
  return first_due(**schedule, ports_.clock->now());
}

// Hands the members of a job, all on disk, to the plan.
void Conductor::Impl::schedule(const std::vector<RevisionKey>& members, std::optional<SteadyTime> not_before) {
  const auto& first = active_.at(members.front());
  PlannedJob job{.id = first.job, .members = members, .parents = {}, .policy = {}};
  job.owner = owner_of(first.key.step);
  job.not_before = not_before;
  if (auto due = scheduled_for(first.facts); due && *due > ports_.clock->now() && first.attempts == 0) job.due = due;
  if (auto policy = read_policy(first.request)) job.policy = *policy;
  std::set<RevisionKey> unfinished;
  std::optional<RevisionKey> failed;
  for (const auto& parent : first.parents) {
    job.parents.push_back(parent.key);
    const auto* brief = registry_.find(parent.key);
    if (brief == nullptr || brief->state == State::failed || brief->state == State::cancelled)
      failed = parent.key;
    else if (brief->state != State::finished)
      unfinished.insert(parent.key);
  }
  for (auto member : members) {
    const auto& revision = active_.at(member);
    job.attempts = std::max(job.attempts, revision.attempts);
    job.lost = std::max(job.lost, revision.lost);
  }
  carry_out(plan_.add(std::move(job), std::move(unfinished), failed));
}

// A replaced revision that has not ended is cancelled, and the steps that wait for it wait for the newest instead. An amended one
// (dataType) is the newest one's input and goes on.
void Conductor::Impl::supersede(RevisionKey newest) {
  const auto& revision = active_.at(newest);
  const auto* entry = registry_.find(newest.step);
  for (const auto& parent : revision.parents)
    if (parent.key.step == newest.step) return;
  for (const auto& [number, brief] : std::map(entry->revisions)) {
    RevisionKey old{.step = newest.step, .revision = number};
    if (number >= newest.revision) break;
    catalog::Batch batch;
    auto by_name = [&](RevisionKey child) {  // and not "titanic@1"
      return std::ranges::any_of(active_.at(child).parents,
                                 [&](const Parent& parent) { return parent.key == old && !parent.name.contains('@'); });
    };
    for (auto child : plan_.rebind(old, newest, by_name)) {
      auto& record = active_.at(child);
      for (auto& parent : record.parents)
        if (parent.key == old) parent.key = newest;
      record.state = plan_.is_scheduled(child) ? State::scheduled : State::waiting;
      registry_.set_parents(child, record.parents);
      registry_.set_state(child, record.state, Reason::none);
      batch.emplace_back(catalog::RebindParents{.key = child, .parents = record.parents});
      batch.emplace_back(catalog::UpdateRevision{record});
    }
    carry_out(plan_.cancel(old), std::move(batch));
  }
}

}  // namespace lo::engine
