#include "engine/plan.h"

#include <algorithm>
#include <cassert>

namespace lo::engine {

Decisions Plan::add(PlannedJob spec, std::set<RevisionKey> unfinished, std::optional<RevisionKey> failed) {
  Decisions out;
  auto id = spec.id;
  auto [at, inserted] = jobs_.try_emplace(id);
  assert(inserted);
  auto& job = at->second;
  job.spec = std::move(spec);
  job.attempt = job.spec.attempts;
  job.unfinished = std::move(unfinished);
  job.open = {job.spec.members.begin(), job.spec.members.end()};
  for (auto member : job.open) job_of_[member] = id;
  for (auto parent : job.spec.parents) children_[parent].insert(id);
  for (auto parent : job.unfinished) waits_on_[parent].insert(id);

  if (failed)
    fail_upstream(job, *failed, out);
  else if (job.spec.due)
    hold(job, out);
  else if (job.unfinished.empty())
    enqueue(job, out);
  forget_if_done(id);
  settle(out);
  return out;
}

bool Plan::is_current(const std::string& id, int attempt, RevisionKey member) const {
  auto at = jobs_.find(id);
  return at != jobs_.end() && at->second.phase == Phase::running && at->second.attempt == attempt &&
         at->second.open.contains(member) && !at->second.again.contains(member);
}

Decisions Plan::member_ended(const std::string& id, int attempt, RevisionKey member, Ending ending) {
  Decisions out;
  if (!is_current(id, attempt, member)) return out;
  end_or_repeat(jobs_.at(id), member, ending, out);
  settle(out);
  return out;
}

Decisions Plan::job_ended(const std::string& id, int attempt, SteadyTime now) {
  Decisions out;
  auto at = jobs_.find(id);
  if (at == jobs_.end() || at->second.phase != Phase::running || at->second.attempt != attempt) return out;
  auto& job = at->second;
  for (auto member : std::set(job.open))
    if (!job.again.contains(member)) end_or_repeat(job, member, {.state = State::failed, .reason = Reason::lost}, out);
  leave_phase(job);
  job.phase = Phase::waiting;
  if (!job.again.empty()) {
    job.again.clear();
    for (auto member : job.open) out.emplace_back(Transition{.key = member, .state = State::queued});
    delay(job, now + retry_delay(job.spec.policy.retry, job.attempt + 1, id));
  }
  forget_if_done(id);
  release_delayed(now);
  settle(out);
  return out;
}

Decisions Plan::cancel(RevisionKey key) {
  Decisions out;
  auto at = job_of_.find(key);
  if (at == job_of_.end()) return out;
  auto id = at->second;
  auto& job = jobs_.at(id);
  if (is_current(id, job.attempt, key)) out.emplace_back(StopMember{.job = id, .attempt = job.attempt, .member = key});
  end_member(job, {.key = key, .state = State::cancelled}, out);
  forget_if_done(id);
  settle(out);
  return out;
}

std::vector<RevisionKey> Plan::rebind(RevisionKey from, RevisionKey to, const std::function<bool(RevisionKey)>& may) {
  std::vector<RevisionKey> members;
  auto at = children_.find(from);
  if (at == children_.end()) return members;
  auto ids = at->second;
  for (const auto& id : ids) {
    auto& job = jobs_.at(id);
    if (job.phase == Phase::running || job.attempt > 0 || !may(*job.open.begin())) continue;
    if (job.phase != Phase::scheduled) {
      leave_phase(job);
      job.phase = Phase::waiting;
    }
    std::ranges::replace(job.spec.parents, from, to);
    if (job.unfinished.erase(from) > 0) unlink(waits_on_, from, id);
    job.unfinished.insert(to);
    waits_on_[to].insert(id);
    unlink(children_, from, id);
    children_[to].insert(id);
    members.insert(members.end(), job.open.begin(), job.open.end());
  }
  return members;
}

Decisions Plan::tick(SteadyTime now, WallTime wall) {
  Decisions out;
  release_delayed(now);
  release_scheduled(wall, out);
  settle(out);
  return out;
}

void Plan::release_delayed(SteadyTime now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    auto id = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    line_up(jobs_.at(id));  // recorded as queued when its attempt ended
  }
}

void Plan::hold(Job& job, Decisions& out) {
  job.phase = Phase::scheduled;
  scheduled_.emplace(*job.spec.due, job.spec.id);
  for (auto member : job.open) out.emplace_back(Transition{.key = member, .state = State::scheduled});
}

void Plan::release_scheduled(WallTime now, Decisions& out) {
  while (!scheduled_.empty() && scheduled_.begin()->first <= now) {
    auto& job = jobs_.at(scheduled_.begin()->second);
    scheduled_.erase(scheduled_.begin());
    job.phase = Phase::waiting;
    if (job.unfinished.empty())
      enqueue(job, out);
    else
      for (auto member : job.open) out.emplace_back(Transition{.key = member, .state = State::waiting});
  }
}

bool Plan::is_scheduled(RevisionKey key) const {
  auto at = job_of_.find(key);
  return at != job_of_.end() && jobs_.at(at->second).phase == Phase::scheduled;
}

std::optional<WallTime> Plan::next_due() const {
  if (scheduled_.empty()) return std::nullopt;
  return scheduled_.begin()->first;
}

std::optional<SteadyTime> Plan::next_wake() const {
  if (delayed_.empty()) return std::nullopt;
  return delayed_.begin()->first;
}

Wait Plan::why(RevisionKey key) const {
  Wait wait;
  auto at = job_of_.find(key);
  if (at == job_of_.end()) return wait;
  const auto& job = jobs_.at(at->second);
  wait.parents.assign(job.unfinished.begin(), job.unfinished.end());
  if (auto standing = admission_.standing(job.spec.id)) {
    wait.queue_place = standing->place;
    wait.short_of = std::move(standing->short_of);
  }
  if (job.phase == Phase::delayed) wait.retry_at = job.retry_at;
  if (job.phase == Phase::scheduled) wait.due = job.spec.due;
  return wait;
}

void Plan::enqueue(Job& job, Decisions& out) {
  for (auto member : job.open) out.emplace_back(Transition{.key = member, .state = State::queued});
  if (job.spec.not_before)
    delay(job, *job.spec.not_before);
  else
    line_up(job);
}

void Plan::line_up(Job& job) {
  const auto& limits = job.spec.policy.limits;
  job.phase = Phase::queued;
  admission_.push(job.spec.id, job.spec.owner, {.cpu = limits.cpu, .memory = limits.memory_bytes.value_or(0), .gpu = limits.gpu});
}

void Plan::delay(Job& job, SteadyTime until) {
  job.phase = Phase::delayed;
  job.retry_at = until;
  delayed_.emplace(until, job.spec.id);
}

void Plan::start_what_fits(Decisions& out) {
  while (auto grant = admission_.take()) start(jobs_.at(grant->job), std::move(grant->gpus), out);
}

void Plan::start(Job& job, std::vector<int> gpus, Decisions& out) {
  job.phase = Phase::running;
  ++job.attempt;
  StartJob decision{.job = job.spec.id, .attempt = job.attempt, .members = {}, .gpus = std::move(gpus)};
  for (auto member : job.spec.members) {
    if (!job.open.contains(member)) continue;
    decision.members.push_back(member);
    out.emplace_back(Transition{.key = member, .state = State::running, .attempt = job.attempt});
  }
  out.emplace_back(std::move(decision));
}

void Plan::end_or_repeat(Job& job, RevisionKey member, Ending ending, Decisions& out) {
  if (ending.state == State::failed && job.attempt - job.spec.lost < job.spec.policy.retry.max_attempts)
    job.again.insert(member);
  else
    end_member(job, {.key = member, .state = ending.state, .reason = ending.reason}, out);
}

void Plan::end_member(Job& job, Transition transition, Decisions& out) {
  job.open.erase(transition.key);
  job.again.erase(transition.key);
  job_of_.erase(transition.key);
  ended_.emplace_back(transition.key, transition.state == State::finished);
  out.emplace_back(std::move(transition));
}

void Plan::fail_upstream(Job& job, RevisionKey parent, Decisions& out) {
  for (auto member : std::set(job.open))
    end_member(job, {.key = member, .state = State::failed, .reason = Reason::upstream_failed, .cause = parent}, out);
}

// Tells the children of all that has ended, and theirs, then starts what fits. A loop and no recursion: chains may be long.
void Plan::settle(Decisions& out) {
  while (!ended_.empty()) {
    auto [parent, finished] = ended_.front();
    ended_.pop_front();
    auto waiting = waits_on_.extract(parent);
    if (waiting.empty()) continue;
    for (const auto& id : waiting.mapped()) parent_ended(id, parent, finished, out);
  }
  start_what_fits(out);
}

void Plan::parent_ended(const std::string& id, RevisionKey parent, bool finished, Decisions& out) {
  auto at = jobs_.find(id);
  if (at == jobs_.end()) return;
  auto& job = at->second;
  job.unfinished.erase(parent);
  if (!finished)
    fail_upstream(job, parent, out);
  else if (job.unfinished.empty() && job.phase != Phase::scheduled)
    enqueue(job, out);
  forget_if_done(id);
}

// Takes the job out of the scheduled, the queue, the delayed or the running ones, whichever it is in.
void Plan::leave_phase(Job& job) {
  if (job.phase == Phase::scheduled) scheduled_.erase({*job.spec.due, job.spec.id});
  if (job.phase == Phase::queued) admission_.withdraw(job.spec.id);
  if (job.phase == Phase::delayed) delayed_.erase({job.retry_at, job.spec.id});
  if (job.phase == Phase::running) admission_.release(job.spec.id);
}

void Plan::forget_if_done(const std::string& id) {
  auto at = jobs_.find(id);
  if (at == jobs_.end() || !at->second.open.empty() || at->second.phase == Phase::running) return;
  leave_phase(at->second);
  for (auto parent : at->second.spec.parents) unlink(children_, parent, id);
  for (auto parent : at->second.unfinished) unlink(waits_on_, parent, id);
  jobs_.erase(at);
}

void Plan::unlink(std::map<RevisionKey, std::set<std::string>>& index, RevisionKey key, const std::string& id) {
  auto at = index.find(key);
  if (at == index.end()) return;
  at->second.erase(id);
  if (at->second.empty()) index.erase(at);
}

}  // namespace lo::engine
