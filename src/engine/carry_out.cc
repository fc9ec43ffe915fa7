// Carrying out what the plan decides: records in the catalog, jobs at the runner, and what comes back from it.
#include <fmt/format.h>

#include "base/fault.h"
#include "base/id.h"
#include "base/log.h"
#include "engine/conductor_impl.h"
#include "engine/schedule.h"

namespace lo::engine {

using catalog::Batch;
using catalog::Revision;

namespace {

constexpr std::chrono::seconds kSaveAgainAfter{1};

// Worth trying again: the disk may get room, the file system may come back.
bool is_passing(Code code) { return code == Code::no_space || code == Code::io || code == Code::unavailable; }

template <class... Visitors>
struct Visit : Visitors... {
  using Visitors::operator()...;
};

}  // namespace

Conductor::Impl::Impl(ConductorPorts ports, PlanOptions options)
    : ports_(std::move(ports)), options_(options), strand_(ports_.executor), wake_(strand_), plan_(options) {}

// Decisions are recorded in one commit. A first attempt starts at once, beside the commit: should the server die before it is on
// disk, the step is still there as queued. A repeated one starts after it, so that every repetition is counted.
void Conductor::Impl::carry_out(Decisions decisions, Batch batch) {
  std::vector<StartJob> start_now;
  std::vector<StartJob> start_after;
  for (auto& decision : decisions)
    std::visit(Visit{[&](Transition& transition) { record(transition, batch); },
                     [&](StartJob& start) { (start.attempt == 1 ? start_now : start_after).push_back(std::move(start)); },
                     [&](StopMember& stop) {
                       if (auto run = runs_.find(stop.job); run != runs_.end())
                         ports_.runner->stop(run->second.token, stop.member, State::cancelled, Reason::none);
                     }},
               decision);
  if (!batch.empty() || !start_after.empty()) save(std::move(batch), std::move(start_after));
  for (const auto& start : start_now) launch(start);
  arm_timer();
}

void Conductor::Impl::record(const Transition& transition, Batch& batch) {
  auto& revision = active_.at(transition.key);
  if (transition.state == State::scheduled && revision.state == State::scheduled) return;  // as it was accepted
  revision.state = transition.state;
  revision.reason = transition.reason;
  registry_.set_state(transition.key, transition.state, transition.reason);
  if (transition.state == State::running) record_start(revision, transition.attempt, batch);
  if (transition.cause)
    revision.exception = fmt::format("the input \"{}\" failed or was cancelled", registry_.name_of(*transition.cause));
  if (is_terminal(transition.state)) {
    revision.ended = ports_.clock->now();
    registry_.set_ended(transition.key, *revision.ended);
  }
  if (auto outcome = outcomes_.extract(transition.key); !outcome.empty() && is_terminal(transition.state)) {
    revision.exception = outcome.mapped().exception;
    revision.facts = merge_facts(revision.facts, std::move(outcome.mapped().facts));
    revision.result = std::move(outcome.mapped().manifest);
    registry_.set_facts(transition.key, revision.facts);
  }
  if (transition.state == State::cancelled) follow_schedule(revision);
  batch.emplace_back(catalog::AddEvent{event_of(revision, std::string(to_string(revision.state)))});
  batch.emplace_back(catalog::UpdateRevision{revision});
  if (!is_terminal(transition.state)) return;
  if (transition.state == State::finished) unsaved_[transition.key] = {.operation = revision.operation, .result = revision.result};
  if (auto run = runs_.find(revision.job); run != runs_.end() && transition.state == State::cancelled)
    run->second.late.emplace(transition.key, revision);
  active_.erase(transition.key);
}

void Conductor::Impl::record_start(Revision& revision, int attempt, Batch& batch) {
  auto& run = runs_[revision.job];
  if (run.attempt != attempt) {
    job_of_token_.erase(run.token);
    run = {.token = make_token(), .attempt = attempt, .records = {}, .late = {}};
    job_of_token_[run.token] = revision.job;
  }
  revision.attempts = attempt;
  revision.started = ports_.clock->now();
  catalog::Attempt record;
  record.key = revision.key;
  record.number = attempt;
  record.token = run.token;
  record.started = *revision.started;
  batch.emplace_back(catalog::PutAttempt{record});
  run.records[revision.key] = std::move(record);
}

catalog::Event Conductor::Impl::event_of(const Revision& revision, std::string type) const {
  catalog::Event event;
  event.at = ports_.clock->now();
  event.name = revision.name;
  event.service = revision.operation;
  event.revision = revision.key.revision;
  event.type = std::move(type);
  event.data = {{"name", revision.name},
                {"type", revision.operation},
                {"revision", revision.key.revision},
                {"status", to_string(revision.state)},
                {"reason", to_string(revision.reason)},
                {"finished", is_terminal(revision.state)}};
  if (!revision.exception.empty()) event.data["exception"] = revision.exception;
  if (const auto* entry = registry_.find(revision.key.step); entry != nullptr) {
    event.service = entry->step.service;
    event.data["type"] = entry->step.service;
    if (!entry->step.labels.empty()) event.data["labels"] = entry->step.labels;
  }
  return event;
}

void Conductor::Impl::save(Batch batch, std::vector<StartJob> start_after) {
  auto copy = batch;
  ports_.catalog->commit(std::move(batch), [self = shared_from_this(), copy = std::move(copy),
                                            start_after = std::move(start_after)](Status status) mutable {
    asio::post(self->strand_, [self, copy = std::move(copy), start_after = std::move(start_after), status]() mutable {
      self->writable_ = status.has_value() || !is_passing(status.error().code);
      if (!status) {
        log::error("engine: a change of state was not saved: {}", status.error().message);
        if (!self->writable_) return self->save_again(std::move(copy));
      }
      for (const auto& change : copy)
        if (const auto* update = std::get_if<catalog::UpdateRevision>(&change); update != nullptr)
          self->on_saved(update->revision);
      for (const auto& start : start_after) self->launch(start);
    });
  });
}

void Conductor::Impl::on_saved(const Revision& revision) {
  if (!is_terminal(revision.state)) return;  // an earlier change, saved late
  ports_.runner->forget(revision.key);
  if (auto saved = unsaved_.extract(revision.key); !saved.empty()) ports_.settle(std::move(saved.mapped().result));
  update(revision.key.step);
  if (!timetable_.contains(revision.key.step)) return;
  timetable_.resume(revision.key.step);  // what came due while it was busy
  look_at_clock();
}

void Conductor::Impl::save_again(Batch batch) {
  auto timer = std::make_shared<asio::steady_timer>(strand_, kSaveAgainAfter);
  timer->async_wait([self = shared_from_this(), timer, batch = std::move(batch)](boost::system::error_code) mutable {
    self->save(std::move(batch), {});
  });
}

std::vector<Member> Conductor::Impl::members_of(const StartJob& start) const {
  std::vector<Member> members;
  for (auto member : start.members) {
    if (!plan_.is_current(start.job, start.attempt, member)) continue;  // cancelled meanwhile
    const auto& revision = active_.at(member);
    members.push_back({.key = member, .name = revision.name, .operation = revision.operation, .request = revision.request});
  }
  return members;
}

void Conductor::Impl::launch(const StartJob& start) {
  auto members = members_of(start);
  if (members.empty()) return launch_with(start, {});
  const auto& first = active_.at(members.front().key);
  auto clock = scheduled_for(first.facts).value_or(first.accepted);
  auto parents = first.parents;
  if (auto inputs = asks_outside(first) ? std::nullopt : unsaved_inputs(parents)) {
    auto keys = cache_keys(members, *inputs, clock);
    return launch_with(start, {.inputs = *std::move(inputs), .keys = std::move(keys)});
  }
  std::map<RevisionKey, json::object> unsaved;
  for (const auto& parent : parents)
    if (auto at = unsaved_.find(parent.key); at != unsaved_.end()) unsaved.emplace(at->first, at->second.result);
  ports_.pool->post([self = shared_from_this(), start, members = std::move(members), clock, parents = std::move(parents), unsaved = std::move(unsaved)] {
    Prepared prepared{.inputs = self->read_inputs(parents, unsaved)};
    if (prepared.inputs) prepared.keys = self->cache_keys(members, *prepared.inputs, clock);
    self->on_strand([start, prepared = std::move(prepared)](Impl& impl) mutable { impl.launch_with(start, std::move(prepared)); });
  });
}

// All that are in memory still, as those of a chain are: nothing when one must be read.
std::optional<std::vector<Input>> Conductor::Impl::unsaved_inputs(const std::vector<catalog::Parent>& parents) const {
  std::vector<Input> inputs;
  for (const auto& parent : parents) {
    auto at = unsaved_.find(parent.key);
    if (at == unsaved_.end()) return std::nullopt;
    inputs.push_back({.name = parent.name, .key = parent.key, .operation = at->second.operation, .manifest = at->second.result});
  }
  return inputs;
}

Result<std::vector<Input>> Conductor::Impl::read_inputs(const std::vector<catalog::Parent>& parents,
                                                        const std::map<RevisionKey, json::object>& unsaved) const {
  std::vector<Input> inputs;
  for (const auto& parent : parents) {
    Input input{.name = parent.name, .key = parent.key, .operation = {}, .manifest = {}};
    LO_ASSIGN(auto revision, ports_.catalog->revision(parent.key));
    if (!revision) return fail(Code::not_found, fmt::format("the input \"{}\" is gone", parent.name));
    input.operation = revision->operation;
    auto at = unsaved.find(parent.key);
    input.manifest = at == unsaved.end() ? std::move(revision->result) : at->second;
    inputs.push_back(std::move(input));
  }
  return inputs;
}

void Conductor::Impl::launch_with(const StartJob& start, Prepared prepared) {
  auto run = runs_.find(start.job);
  if (run == runs_.end() || run->second.attempt != start.attempt || stopping_) return;
  JobRequest job{.token = run->second.token, .attempt = start.attempt, .members = members_of(start), .inputs = {}, .clock = {}, .limits = {}, .gpus = start.gpus};
  auto inputs = std::move(prepared.inputs);
  if (auto fault = fault_point("engine.start.before"); !fault && inputs) inputs = std::unexpected(fault.error());
  if (!inputs) return fail_start(job, inputs.error());
  job.inputs = std::move(*inputs);
  std::map<RevisionKey, RevisionKey> origins;
  for (const auto& member : job.members) {
    auto& revision = active_.at(member.key);
    if (auto key = prepared.keys.find(member.key); key != prepared.keys.end()) revision.facts[kCacheKey] = key->second;
    if (auto policy = read_policy(revision.request)) {
      job.limits = policy->limits;
      if (policy->isolation == Isolation::shared) job.shared_by = owner_of(member.key.step);
    }
    job.clock = scheduled_for(revision.facts).value_or(revision.accepted);
    if (auto origin = origin_of(revision)) origins.emplace(member.key, *origin);
  }
  if (!origins.empty()) return take_over(std::move(job), std::move(origins));
  start_members(std::move(job));
}

void Conductor::Impl::fail_start(const JobRequest& job, const Error& error) {
  for (const auto& member : job.members) {
    Outcome outcome;
    outcome.reason = Reason::error;
    outcome.exception = error.message;
    on_member_ended(job.token, member.key, std::move(outcome));
  }
  job_ended(job.token);
}

void Conductor::Impl::progress(const std::string& token, RevisionKey member, json::object data) {
  on_strand([token, member, data = std::move(data)](Impl& impl) mutable {
    auto at = impl.active_.find(member);
    if (!impl.job_of_token_.contains(token) || at == impl.active_.end()) return;
    auto event = impl.event_of(at->second, "progress");
    event.data["progress"] = std::move(data);
    Batch batch;
    batch.emplace_back(catalog::AddEvent{std::move(event)});
    impl.ports_.catalog->commit(std::move(batch), [](Status) {});
  });
}

void Conductor::Impl::member_ended(const std::string& token, RevisionKey member, Outcome outcome) {
  on_strand([token, member, outcome = std::move(outcome)](Impl& impl) mutable {
    impl.on_member_ended(token, member, std::move(outcome));
  });
}

void Conductor::Impl::on_member_ended(const std::string& token, RevisionKey member, Outcome outcome) {
  if (stopping_ && outcome.lost) return;  // handed back: the next server runs it
  std::ignore = fault_point("engine.end.before");
  auto job = job_of_token_.find(token);
  auto current = job != job_of_token_.end() && plan_.is_current(job->second, runs_.at(job->second).attempt, member);
  if (!current && !outcome.manifest.empty()) ports_.settle(std::move(outcome.manifest));
  if (job == job_of_token_.end()) return;
  auto id = job->second;
  auto& run = runs_.at(id);
  Batch batch;
  complete_attempt(run, member, outcome, batch);
  if (!current) return save(std::move(batch), {});
  Ending ending{.state = outcome.state, .reason = outcome.reason};
  outcomes_[member] = std::move(outcome);
  carry_out(plan_.member_ended(id, run.attempt, member, ending), std::move(batch));
  outcomes_.erase(member);
}

void Conductor::Impl::complete_attempt(Run& run, RevisionKey member, const Outcome& outcome, Batch& batch) {
  auto at = run.records.find(member);
  const auto* entry = registry_.find(member.step);
  if (at == run.records.end() || entry == nullptr || entry->leaving) return;
  auto& record = at->second;
  auto cancelled = run.late.contains(member);
  record.ended = ports_.clock->now();
  record.state = cancelled ? State::cancelled : outcome.state;
  record.reason = cancelled ? Reason::none : outcome.reason;
  record.exception = outcome.traceback.empty() ? outcome.exception : outcome.traceback;
  record.message = outcome.message;
  record.cpu_seconds = outcome.cpu_seconds;
  record.peak_memory = outcome.peak_memory;
  batch.emplace_back(catalog::PutAttempt{std::move(record)});
  run.records.erase(at);
}

void Conductor::Impl::job_ended(const std::string& token) {
  on_strand([token](Impl& impl) {
    auto job = impl.job_of_token_.extract(token);
    if (job.empty() || impl.stopping_) return;
    auto run = impl.runs_.extract(job.mapped());
    impl.carry_out(impl.plan_.job_ended(job.mapped(), run.mapped().attempt, impl.ports_.clock->steady()));
  });
}

}  // namespace lo::engine
