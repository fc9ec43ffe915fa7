// Results that need not be made: another revision depends on the very same things.
#include "base/log.h"
#include "engine/cache_key.h"
#include "engine/conductor_impl.h"

namespace lo::engine {

using catalog::Revision;

namespace {

bool uses_cache(const json::object& request) { return read_cache(request).value_or(false); }

// What the server adds to a revision's facts, and no run may change.
constexpr std::array<std::string_view, 5> kOwnFacts{kScheduledFor, kBackfill, kAutomatic, kCacheKey, kCached};

}  // namespace

json::object merge_facts(const json::object& own, json::object made) {
  for (auto key : kOwnFacts) {
    if (key != kCached) made.erase(key);
    if (const auto* value = own.if_contains(key)) made[key] = *value;
  }
  return made;
}

bool Conductor::Impl::asks_outside(const Revision& revision) const {
  return ports_.outside && uses_cache(revision.request) && looks_outside(revision.operation, revision.request);
}

// Blocks while it asks what URLs give.
std::map<RevisionKey, std::string> Conductor::Impl::cache_keys(const std::vector<Member>& members, const std::vector<Input>& inputs, WallTime clock) const {
  std::map<RevisionKey, std::string> keys;
  for (const auto& member : members) {
    std::optional<std::string> outside("");
    if (looks_outside(member.operation, member.request))
      outside = ports_.outside && uses_cache(member.request) ? ports_.outside(member.operation, member.request) : std::nullopt;
    if (outside)
      keys[member.key] = cache_key({.member = member, .inputs = inputs, .clock = clock, .installed = ports_.installed, .outside = *outside});
  }
  return keys;
}

// Whose result the revision may have. One that runs only because its inputs were made again may have its own of before.
std::optional<RevisionKey> Conductor::Impl::origin_of(const Revision& revision) const {
  auto key = string_or(revision.facts, kCacheKey);
  if (key.empty()) return std::nullopt;
  if (uses_cache(revision.request))
    if (auto found = registry_.cached(key)) return found;
  if (!revision.facts.contains(kAutomatic)) return std::nullopt;
  const auto& entry = *registry_.find(revision.key.step);
  auto before = entry.newest_finished();
  if (!before || entry.revisions.at(*before).cache_key != key) return std::nullopt;
  return RevisionKey{.step = revision.key.step, .revision = *before};
}

// The outcome of a run that would have given what `origin` has: nothing when that is gone. Blocks.
std::optional<Outcome> Conductor::Impl::stored_outcome(RevisionKey origin) const {
  auto revision = ports_.catalog->revision(origin);
  if (!revision || !*revision || (*revision)->state != State::finished) return std::nullopt;
  auto& stored = **revision;
  if (ports_.claim && !ports_.claim(stored.result)) return std::nullopt;
  Outcome outcome;
  outcome.state = State::finished;
  outcome.manifest = std::move(stored.result);
  outcome.facts = std::move(stored.facts);
  if (!outcome.facts.contains(kCached)) outcome.facts[kCached] = {{"name", stored.name}, {"revision", stored.key.revision}};
  return outcome;
}

// Ends the members that have an origin with its result, and starts the others.
void Conductor::Impl::take_over(JobRequest job, std::map<RevisionKey, RevisionKey> origins) {
  ports_.pool->post([self = shared_from_this(), job = std::move(job), origins = std::move(origins)]() mutable {
    std::map<RevisionKey, Outcome> outcomes;
    for (const auto& [member, origin] : origins)
      if (auto outcome = self->stored_outcome(origin)) outcomes[member] = *std::move(outcome);
    self->on_strand([job = std::move(job), outcomes = std::move(outcomes)](Impl& impl) mutable {
      for (auto& [member, outcome] : outcomes) impl.on_member_ended(job.token, member, std::move(outcome));
      impl.start_members(std::move(job));
    });
  });
}

// Those of the job's members that have not ended meanwhile.
void Conductor::Impl::start_members(JobRequest job) {
  auto id = job_of_token_.find(job.token);
  if (id == job_of_token_.end() || stopping_) return;
  std::erase_if(job.members, [&](const Member& member) { return !plan_.is_current(id->second, job.attempt, member.key); });
  if (job.members.empty()) return job_ended(job.token);
  ports_.runner->start(std::move(job), shared_from_this());
}

}  // namespace lo::engine
