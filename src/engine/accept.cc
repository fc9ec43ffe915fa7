// Taking in submissions and new revisions: names, bindings, durability before the answer.
#include <algorithm>
#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"
#include "engine/conductor_impl.h"

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

// What this server never has, nobody needs to wait for.
Status Conductor::Impl::check_resources(const json::object& request) const {
  LO_ASSIGN(auto policy, read_policy(request));
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
    LO_ASSIGN(auto parent, registry_.bind(mention.text, mention.pointer));
    if (std::ranges::find(parents, parent) == parents.end()) parents.push_back(std::move(parent));
  }
  return parents;
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
    remember(revision);
    batch.emplace_back(catalog::AddEvent{event_of(revision, "accepted")});
    batch.emplace_back(catalog::AddRevision{std::move(revision)});
    accepted.push_back({.name = std::move(step.name), .key = key});
    keys.push_back(key);
  }
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), keys, accepted = std::move(accepted),
                                            done = std::move(done)](Status status) mutable {
    asio::post(self->strand_, [self, keys, accepted = std::move(accepted), done = std::move(done), status]() mutable {
      if (!status) {
        self->forget_unsaved(keys, true);
        return done(std::unexpected(status.error()));
      }
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

Revise again(const Revision& revision) {
  Revise revise{.name = revision.name,
                .kind = Revise::Kind::rerun,
                .operation = revision.operation,
                .request = revision.request,
                .mentions = {}};
  for (const auto& parent : revision.parents) {
    if (parent.key.step == revision.key.step) revise.kind = Revise::Kind::amend;
    revise.mentions.push_back({.text = parent.name, .pointer = ""});
  }
  return revise;
}

void Conductor::Impl::revise(Revise request, Callback<Result<Accepted>> done) {
  if (stopping_) return done(refuse_stopping());
  const auto* entry = registry_.find(request.name);
  if (entry == nullptr) return done(fail(Code::not_found, fmt::format("there is no step \"{}\"", request.name)));
  if (auto free = check_busy(request, *entry); !free) return done(std::unexpected(free.error()));
  if (auto fits = check_resources(request.request); !fits) return done(std::unexpected(fits.error()));
  auto parents = bind_revision(request, *entry);
  if (!parents) return done(std::unexpected(parents.error()));
  if (request.kind != Revise::Kind::amend)
    if (auto sound = check_no_cycle(*entry, *parents); !sound) return done(std::unexpected(sound.error()));

  RevisionKey key{.step = entry->step.id, .revision = entry->newest() + 1};
  auto revision = new_revision(key, request.name, std::move(request.operation), make_token(), std::move(request.request),
                               std::move(*parents));
  remember(revision);
  catalog::Batch batch;
  batch.emplace_back(catalog::AddEvent{event_of(revision, "accepted")});
  batch.emplace_back(catalog::AddRevision{std::move(revision)});
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), key, name = request.name, cascade = request.cascade,
                                            done = std::move(done)](Status status) mutable {
    asio::post(self->strand_, [self, key, name = std::move(name), cascade, done = std::move(done), status]() mutable {
      if (!status) {
        self->forget_unsaved({key}, false);
        return done(std::unexpected(status.error()));
      }
      self->supersede(key);
      self->schedule({key});
      auto answer = [name = std::move(name), key, done = std::move(done)]() mutable { done(Accepted{.name = std::move(name), .key = key}); };
      if (cascade) return self->run_descendants(key.step, std::move(answer));
      self->revive_children(key.step);
      answer();
    });
  });
}

// Hands the members of a job, all on disk, to the plan.
void Conductor::Impl::schedule(const std::vector<RevisionKey>& members, std::optional<SteadyTime> not_before) {
  const auto& first = active_.at(members.front());
  PlannedJob job{.id = first.job, .members = members, .parents = {}, .policy = {}};
  job.owner = string_or(registry_.find(first.key.step)->step.labels, "owner");
  job.not_before = not_before;
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
      record.state = State::waiting;
      registry_.set_parents(child, record.parents);
      registry_.set_state(child, State::waiting, Reason::none);
      batch.emplace_back(catalog::RebindParents{.key = child, .parents = record.parents});
      batch.emplace_back(catalog::UpdateRevision{record});
    }
    carry_out(plan_.cancel(old), std::move(batch));
  }
}

// Steps that failed only because this one had: they are tried again with what it will give now.
void Conductor::Impl::revive_children(catalog::StepId step) {
  run_again(registry_.failed_by_upstream(step), Revise::Kind::rerun, [] {});
}

// Each binds to the revision that the one before it has just got, and waits for it.
void Conductor::Impl::run_descendants(catalog::StepId step, std::move_only_function<void()> done) {
  run_again(registry_.descendants_in_order(step), Revise::Kind::replace, std::move(done));
}

// In this order; done once the last one is on disk. What cannot be run again is left as it is, which its staleness shows.
void Conductor::Impl::run_again(const std::vector<catalog::StepId>& steps, Revise::Kind kind, std::move_only_function<void()> done) {
  std::vector<RevisionKey> keys;
  for (auto id : steps) keys.push_back({.step = id, .revision = registry_.find(id)->newest()});
  if (keys.empty()) return done();
  ports_.pool->post([self = shared_from_this(), kind, keys = std::move(keys), done = std::move(done)]() mutable {
    std::vector<Revise> requests;
    for (auto key : keys) {
      auto revision = self->ports_.catalog->revision(key);
      if (!revision || !*revision) continue;
      requests.push_back(again(**revision));
      if (requests.back().kind != Revise::Kind::amend) requests.back().kind = kind;
    }
    // Whoever holds the last of these is the last to be answered.
    std::shared_ptr<void> all_done(nullptr, [done = std::make_shared<std::move_only_function<void()>>(std::move(done))](void*) { (*done)(); });
    self->on_strand([requests = std::move(requests), all_done = std::move(all_done)](Impl& impl) mutable {
      for (auto& revise : requests)
        impl.revise(std::move(revise), [all_done](Result<Accepted> accepted) {
          if (!accepted) log::info("engine: a step is not made again with its input: {}", accepted.error().message);
        });
    });
  });
}

}  // namespace lo::engine
