#include "catalog/fake_memory.h"

#include <algorithm>
#include <iterator>

#include "catalog/refusals.h"

namespace lo::catalog {

namespace {

struct Part {
  std::string digest;
  std::int64_t bytes = 0;
};

// What a revision stores, inline or not.
std::vector<Part> parts_of(const Revision& revision) {
  std::vector<Part> parts;
  auto add = [&](const json::value& part) {
    const auto* object = part.if_object();
    const auto* bytes = object == nullptr ? nullptr : object->if_contains("bytes");
    if (bytes != nullptr && bytes->is_int64())
      parts.push_back({.digest = string_or(*object, "digest"), .bytes = bytes->get_int64()});
  };
  if (const auto* upload = revision.request.if_contains("upload")) add(*upload);
  if (const auto* stored = revision.result.if_contains("parts"); stored != nullptr && stored->is_array())
    for (const auto& part : stored->get_array()) add(part);
  return parts;
}

}  // namespace

Status Memory::apply(const Batch& batch, std::vector<Event>& told) {
  auto events_before = events_.size();
  auto seq_before = last_seq_;
  Status status;
  for (const auto& change : batch) {
    status = std::visit([this](const auto& one) { return apply_one(one); }, change);
    if (!status) break;
  }
  if (!status) {
    for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
    events_.resize(events_before);
    last_seq_ = seq_before;
  }
  undo_.clear();
  told.insert(told.end(), events_.begin() + static_cast<std::ptrdiff_t>(events_before), events_.end());
  return status;
}

std::int64_t Memory::trim(std::int64_t keep) {
  auto surplus = std::max<std::int64_t>(0, static_cast<std::int64_t>(events_.size()) - keep);
  events_.erase(events_.begin(), events_.begin() + surplus);
  return surplus;
}

const Revision* Memory::newest(StepId step) const {
  auto after = revisions_.lower_bound({.step = step + 1});
  if (after == revisions_.begin()) return nullptr;
  const auto& [key, revision] = *std::prev(after);
  return key.step == step ? &revision : nullptr;
}

std::optional<Step> Memory::find(const std::string& name) const {
  auto found = names_.find(name);
  return found == names_.end() ? std::nullopt : std::optional(steps_.at(found->second));
}

Status Memory::apply_one(const AddStep& change) {
  const auto& step = change.step;
  if (names_.contains(step.name)) return refuse_taken_name(step);
  if (steps_.contains(step.id)) return refuse_taken_id(step.id);
  put(names_, step.name, step.id);
  put(steps_, step.id, step);
  return {};
}

Status Memory::apply_one(const AddRevision& change) {
  auto revision = change.revision;
  auto step = steps_.find(revision.key.step);
  if (step == steps_.end()) return refuse_unknown_step(revision.key.step);
  if (revisions_.contains(revision.key)) return refuse_taken_key(revision.key);
  revision.name = step->second.name;
  take_out_of_garbage(revision);
  put(revisions_, revision.key, std::move(revision));
  return {};
}

Status Memory::apply_one(const UpdateRevision& change) {
  LO_ASSIGN(const auto* stored, find_changeable(change.revision.key));
  auto revision = change.revision;
  revision.name = stored->name;
  take_out_of_garbage(revision);
  put(revisions_, revision.key, std::move(revision));
  return {};
}

Status Memory::apply_one(const RebindParents& change) {
  LO_ASSIGN(const auto* stored, find_changeable(change.key));
  auto revision = *stored;
  revision.parents = change.parents;
  put(revisions_, change.key, std::move(revision));
  return {};
}

Status Memory::apply_one(const PutAttempt& change) {
  const auto& attempt = change.attempt;
  if (!revisions_.contains(attempt.key)) return refuse_unknown_revision(attempt.key);
  put(attempts_, {attempt.key, attempt.number}, attempt);
  return {};
}

Status Memory::apply_one(const AddEvent& change) {
  events_.push_back(change.event);
  events_.back().seq = ++last_seq_;
  return {};
}

Status Memory::apply_one(const RemoveStep& change) {
  auto step = steps_.find(change.id);
  if (step == steps_.end()) return refuse_unknown_step(change.id);
  erase_revisions({.step = change.id}, {.step = change.id + 1});
  erase(names_, std::string(step->second.name));
  erase(steps_, change.id);
  return {};
}

Status Memory::apply_one(const RemoveRevision& change) {
  auto found = revisions_.find(change.key);
  if (found == revisions_.end()) return refuse_unknown_revision(change.key);
  if (!is_terminal(found->second.state)) return refuse_open(change.key);
  erase_revisions(change.key, {.step = change.key.step, .revision = change.key.revision + 1});
  return {};
}

void Memory::erase_revisions(RevisionKey from, RevisionKey to) {
  erase_between(attempts_, {from, 0}, {to, 0});
  auto before = live_digests();
  erase_between(revisions_, from, to);
  auto after = live_digests();
  for (const auto& digest : before)
    if (!after.contains(digest)) put(garbage_, digest, true);
}

Status Memory::apply_one(const PutSubscription& change) {
  put(subscriptions_, change.subscription.name, change.subscription);
  return {};
}

Status Memory::apply_one(const RemoveSubscription& change) {
  if (!subscriptions_.contains(change.name)) return refuse_unknown_subscription(change.name);
  erase(subscriptions_, change.name);
  return {};
}

Status Memory::apply_one(const PutWorkflow& change) {
  put(workflows_, change.workflow.name, change.workflow);
  return {};
}

Status Memory::apply_one(const RemoveWorkflow& change) {
  if (!workflows_.contains(change.name)) return refuse_unknown_workflow(change.name);
  erase(workflows_, change.name);
  return {};
}

Status Memory::apply_one(const PutReceipt& change) {
  put(receipts_, change.receipt.key, change.receipt);
  return {};
}

Status Memory::apply_one(const ForgetReceipts& change) {
  std::vector<std::string> old;
  for (const auto& [key, receipt] : receipts_)
    if (receipt.created < change.before) old.push_back(key);
  for (const auto& key : old) erase(receipts_, key);
  return {};
}

Status Memory::apply_one(const ForgetGarbage& change) {
  for (const auto& digest : change.digests)
    if (garbage_.contains(digest)) erase(garbage_, digest);
  return {};
}

void Memory::take_out_of_garbage(const Revision& revision) {
  for (const auto& digest : digests_in(revision))
    if (garbage_.contains(digest)) erase(garbage_, digest);
}

std::set<std::string> Memory::live_digests() const {
  std::set<std::string> digests;
  for (const auto& [key, revision] : revisions_)
    for (auto& digest : digests_in(revision)) digests.insert(std::move(digest));
  return digests;
}

std::map<std::string, Usage> Memory::usage(std::string_view label) const {
  std::map<std::string, Usage> found;
  std::map<StepId, std::string> value_of;
  for (const auto& [id, step] : steps_) {
    const auto* value = step.labels.if_contains(label);
    value_of[id] = value == nullptr ? "" : label_text(*value);
    ++found[value_of[id]].steps;
  }
  std::set<std::pair<std::string, std::string>> counted;
  for (const auto& [key, revision] : revisions_) {
    auto& usage = found[value_of.at(key.step)];
    ++usage.revisions;
    for (const auto& part : parts_of(revision))
      if (counted.emplace(value_of.at(key.step), part.digest).second) usage.bytes += part.bytes;
  }
  for (const auto& [key, attempt] : attempts_) {
    auto& usage = found[value_of.at(key.first.step)];
    ++usage.attempts;
    usage.cpu_seconds += attempt.cpu_seconds;
    usage.peak_memory = std::max(usage.peak_memory, attempt.peak_memory);
  }
  for (auto& [value, usage] : found) usage.value = value;
  return found;
}

Result<Revision*> Memory::find_changeable(RevisionKey key) {
  auto found = revisions_.find(key);
  if (found == revisions_.end()) return refuse_unknown_revision(key);
  if (is_terminal(found->second.state)) return refuse_terminal(key, found->second.state);
  return &found->second;
}

template <class Map>
void Memory::put(Map& map, const typename Map::key_type& key, typename Map::mapped_type value) {
  auto [stored, inserted] = map.try_emplace(key);
  if (inserted)
    undo_.emplace_back([&map, key] { map.erase(key); });
  else
    undo_.emplace_back([&map, key, old = stored->second] { map[key] = old; });
  stored->second = std::move(value);
}

template <class Map>
void Memory::erase(Map& map, const typename Map::key_type& key) {
  auto stored = map.find(key);
  undo_.emplace_back([&map, key, old = std::move(stored->second)] { map[key] = old; });
  map.erase(stored);
}

template <class Map>
void Memory::erase_between(Map& map, const typename Map::key_type& from, const typename Map::key_type& to) {
  for (auto at = map.lower_bound(from); at != map.end() && at->first < to; at = map.lower_bound(from))
    erase(map, typename Map::key_type(at->first));
}

}  // namespace lo::catalog
