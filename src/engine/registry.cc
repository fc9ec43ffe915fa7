#include "engine/registry.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <ranges>

#include "base/id.h"
#include "engine/cache_key.h"
#include "engine/schedule.h"

namespace lo::engine {
namespace {

bool wants_updates(const json::object& request) {
  const auto* value = request.if_contains("autoUpdate");
  return value != nullptr && value->is_bool() && value->get_bool();
}

bool usable(State state) { return state != State::failed && state != State::cancelled; }

}  // namespace

const catalog::Outline kRemembered{.request = {"autoUpdate", "schedule"}, .facts = {kResultDigest, kCacheKey, kScheduledFor, kBackfill}};

std::optional<int> Entry::newest_usable() const {
  for (const auto& [number, brief] : revisions | std::views::reverse)
    if (usable(brief.state)) return number;
  return std::nullopt;
}

std::optional<int> Entry::newest_finished() const {
  for (const auto& [number, brief] : revisions | std::views::reverse)
    if (brief.state == State::finished) return number;
  return std::nullopt;
}

bool Entry::busy() const {
  return std::ranges::any_of(revisions, [](const auto& item) { return !is_terminal(item.second.state); });
}

int Entry::newest_own() const {
  for (const auto& [number, brief] : revisions | std::views::reverse)
    if (brief.operation == step.service) return number;
  return newest();
}

const std::vector<catalog::Parent>& Entry::inputs_of(int revision) const {
  const auto& parents = revisions.at(revision).parents;
  auto typed = std::ranges::find_if(parents, [&](const catalog::Parent& parent) { return parent.key.step == step.id; });
  if (typed == parents.end() || typed->key.revision >= revision || !revisions.contains(typed->key.revision)) return parents;
  return inputs_of(typed->key.revision);
}

Result<Reference> parse_reference(std::string_view text, std::string_view pointer) {
  auto at = text.find('@');
  Reference reference{.name = std::string(text.substr(0, at)), .revision = std::nullopt};
  LO_TRY(check_name(reference.name, pointer));
  if (at == std::string_view::npos) return reference;
  auto digits = text.substr(at + 1);
  int revision = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
  if (error != std::errc{} || end != digits.data() + digits.size() || revision < 1)
    return fail_field(Code::unacceptable, std::string(pointer),
                      fmt::format("\"{}\" names no revision: a number from 1 must follow the @", text));
  reference.revision = revision;
  return reference;
}

void Registry::add_step(catalog::Step step) {
  auto& entry = steps_.try_emplace(steps_.end(), step.id)->second;  // ids ascend, but for those that a removal gives back
  entry.step = std::move(step);
  names_[entry.step.name] = entry.step.id;
}

void Registry::add_revision(const catalog::Revision& revision) {
  auto& brief = steps_.at(revision.key.step).revisions[revision.key.revision];
  brief = {.operation = revision.operation,
           .parents = {},
           .state = revision.state,
           .reason = revision.reason,
           .scheduled_for = scheduled_for(revision.facts),
           .auto_update = wants_updates(revision.request),
           .ended = revision.ended.value_or(WallTime{})};
  if (revision.state == State::finished) set_facts(revision.key, revision.facts);
  set_parents(revision.key, revision.parents);
}

void Registry::set_state(RevisionKey key, State state, Reason reason) {
  auto at = steps_.find(key.step);
  if (at == steps_.end()) return;
  auto& brief = at->second.revisions.at(key.revision);
  brief.state = state;
  brief.reason = reason;
}

void Registry::set_facts(RevisionKey key, const json::object& facts) {
  auto at = steps_.find(key.step);
  if (at == steps_.end()) return;
  auto& brief = at->second.revisions.at(key.revision);
  brief.digest = string_or(facts, kResultDigest);
  brief.cache_key = string_or(facts, kCacheKey);
  if (brief.cache_key.empty()) return;
  auto [known, is_new] = cached_.try_emplace(brief.cache_key, key);
  const auto* other = is_new ? nullptr : find(known->second);
  if (other == nullptr || other->ended <= brief.ended) known->second = key;
}

void Registry::uncache(RevisionKey key, const Brief& brief) {
  if (auto at = cached_.find(brief.cache_key); at != cached_.end() && at->second == key) cached_.erase(at);
}

std::optional<RevisionKey> Registry::cached(const std::string& cache_key) const {
  auto at = cached_.find(cache_key);
  if (at == cached_.end()) return std::nullopt;
  const auto* brief = find(at->second);
  if (brief == nullptr || brief->state != State::finished) return std::nullopt;
  return at->second;
}

void Registry::set_ended(RevisionKey key, WallTime at) {
  if (auto found = steps_.find(key.step); found != steps_.end()) found->second.revisions.at(key.revision).ended = at;
}

void Registry::set_parents(RevisionKey key, std::vector<catalog::Parent> parents) {
  for (const auto& parent : parents)
    if (auto at = steps_.find(parent.key.step); at != steps_.end() && parent.key.step != key.step)
      at->second.used_by.insert(key.step);
  steps_.at(key.step).revisions.at(key.revision).parents = std::move(parents);
}

void Registry::remove_revision(RevisionKey key) {
  auto at = steps_.find(key.step);
  if (at == steps_.end()) return;
  auto node = at->second.revisions.extract(key.revision);
  if (node.empty()) return;
  uncache(key, node.mapped());
  std::set<StepId> used;  // by those that are left
  for (const auto& brief : std::views::values(at->second.revisions))
    for (const auto& parent : brief.parents) used.insert(parent.key.step);
  for (const auto& parent : node.mapped().parents)
    if (auto made_from = steps_.find(parent.key.step); made_from != steps_.end() && !used.contains(parent.key.step))
      made_from->second.used_by.erase(key.step);
}

void Registry::restore_revision(RevisionKey key, Brief brief) {
  auto at = steps_.find(key.step);
  if (at == steps_.end()) return;
  auto parents = brief.parents;
  if (!brief.cache_key.empty()) cached_.try_emplace(brief.cache_key, key);
  at->second.revisions[key.revision] = std::move(brief);
  set_parents(key, std::move(parents));
}

void Registry::remove_step(StepId id) {
  auto node = steps_.extract(id);
  if (node.empty()) return;
  names_.erase(node.mapped().step.name);
  for (const auto& [number, brief] : node.mapped().revisions) {
    uncache({.step = id, .revision = number}, brief);
    for (const auto& parent : brief.parents)
      if (auto at = steps_.find(parent.key.step); at != steps_.end()) at->second.used_by.erase(id);
  }
}

std::vector<std::pair<std::string, int>> Registry::newest_parents(StepId id) const {
  const auto& entry = steps_.at(id);
  std::vector<std::pair<std::string, int>> parents;
  for (const auto& parent : entry.revisions.at(entry.newest()).parents)
    if (const auto* made_from = find(parent.key.step); made_from != nullptr) parents.emplace_back(parent.name, made_from->newest_usable().value_or(0));
  return parents;
}

void Registry::set_leaving(StepId id, bool leaving) { steps_.at(id).leaving = leaving; }

const Entry* Registry::find(std::string_view name) const {
  auto at = names_.find(name);
  return at == names_.end() ? nullptr : &steps_.at(at->second);
}

const Entry* Registry::find(StepId id) const {
  auto at = steps_.find(id);
  return at == steps_.end() ? nullptr : &at->second;
}

const Brief* Registry::find(RevisionKey key) const {
  const auto* entry = find(key.step);
  if (entry == nullptr) return nullptr;
  auto at = entry->revisions.find(key.revision);
  return at == entry->revisions.end() ? nullptr : &at->second;
}

std::string Registry::name_of(RevisionKey key) const {
  const auto* entry = find(key.step);
  return entry == nullptr ? "" : entry->step.name;
}

Result<catalog::Parent> Registry::bind(std::string_view text, std::string_view pointer, bool despite_failure) const {
  LO_ASSIGN(auto reference, parse_reference(text, pointer));
  auto refuse = [&](std::string why) { return fail_field(Code::unacceptable, std::string(pointer), std::move(why)); };
  const auto* entry = find(reference.name);
  if (entry == nullptr || entry->leaving) {
    auto near = nearest(reference.name, std::views::keys(names_));
    return refuse(fmt::format("there is no step \"{}\"{}", reference.name,
                              near.empty() || near == reference.name ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  auto revision = reference.revision ? reference.revision : entry->newest_usable();
  if (!revision && despite_failure) return catalog::Parent{.name = std::string(text), .key = {.step = entry->step.id, .revision = entry->newest()}};
  if (!revision) {
    const auto& brief = entry->revisions.at(entry->newest());
    return refuse(fmt::format("the step \"{}\" {}", reference.name,
                              brief.state == State::cancelled ? "was cancelled" : "failed"));
  }
  auto at = entry->revisions.find(*revision);
  if (at == entry->revisions.end())
    return refuse(fmt::format("the step \"{}\" has no revision {}; its newest is {}", reference.name, *revision, entry->newest()));
  if (!usable(at->second.state))
    return refuse(fmt::format("revision {} of the step \"{}\" is {}", *revision, reference.name, to_string(at->second.state)));
  return catalog::Parent{.name = std::string(text), .key = {.step = entry->step.id, .revision = *revision}};
}

std::vector<StepId> Registry::descendants(StepId id) const {
  std::vector<StepId> found{id};
  std::set<StepId> seen{id};
  for (std::size_t next = 0; next < found.size(); ++next) {
    const auto* entry = find(found[next]);
    if (entry == nullptr) continue;
    for (auto child : entry->used_by)
      if (seen.insert(child).second) found.push_back(child);
  }
  found.erase(found.begin());
  return found;
}

std::set<StepId> Registry::made_from(StepId id) const {
  std::set<StepId> steps;
  if (const auto& entry = steps_.at(id); !entry.revisions.empty())
    for (const auto& parent : entry.inputs_of(entry.newest())) steps.insert(parent.key.step);
  steps.erase(id);
  return steps;
}

std::vector<StepId> Registry::descendants_in_order(StepId id) const {
  auto all = descendants(id);
  std::map<StepId, std::size_t> waits_for;  // how many of the others that are not ordered yet
  for (auto step : all) waits_for[step] = 0;
  for (auto& [step, count] : waits_for)
    for (auto parent : made_from(step)) count += waits_for.count(parent);
  std::vector<StepId> ordered;
  for (auto step : all)
    if (waits_for.at(step) == 0) ordered.push_back(step);
  for (std::size_t next = 0; next < ordered.size(); ++next)
    for (auto child : steps_.at(ordered[next]).used_by)
      if (made_from(child).contains(ordered[next]) && --waits_for.at(child) == 0) ordered.push_back(child);
  for (auto step : all)  // a circle over old revisions: any order is as good
    if (waits_for.at(step) > 0) ordered.push_back(step);
  return ordered;
}

std::vector<StepId> Registry::failed_by_upstream(StepId id) const {
  auto steps = descendants(id);
  std::erase_if(steps, [this](StepId step) {
    const auto* entry = find(step);
    return entry == nullptr || entry->leaving || entry->revisions.rbegin()->second.reason != Reason::upstream_failed;
  });
  return steps;
}

std::optional<std::string> Registry::outdated(StepId id, const catalog::Parent& parent) const {
  if (parent.key.step == id || parent.name.contains('@')) return std::nullopt;
  const auto* made_from = find(parent.key.step);
  if (made_from == nullptr) return fmt::format("made from {}, which was deleted", parent.name);
  auto newest = made_from->newest_usable();
  if (!newest || *newest <= parent.key.revision) return std::nullopt;
  const auto* used = find(parent.key);
  if (used != nullptr && !used->digest.empty() && used->digest == made_from->revisions.at(*newest).digest) return std::nullopt;
  return fmt::format("made from {}@{}, the newest is {}", parent.name, parent.key.revision, *newest);
}

std::optional<std::string> Registry::stale_because(StepId id) const {
  std::vector<StepId> line{id};
  std::set<StepId> seen{id};
  for (std::size_t next = 0; next < line.size(); ++next) {
    const auto* entry = find(line[next]);
    auto finished = entry == nullptr ? std::nullopt : entry->newest_finished();
    if (!finished) continue;
    for (const auto& parent : entry->inputs_of(*finished)) {
      if (auto why = outdated(line[next], parent))
        return line[next] == id ? *why : fmt::format("made from {}, which is stale: {}", entry->step.name, *why);
      if (!parent.name.contains('@') && seen.insert(parent.key.step).second) line.push_back(parent.key.step);
    }
  }
  return std::nullopt;
}

bool Registry::is_behind(StepId id) const {
  const auto* entry = find(id);
  return std::ranges::any_of(entry->inputs_of(entry->newest()), [&](const catalog::Parent& parent) {
    const auto* made_from = find(parent.key.step);
    if (made_from == nullptr || made_from->newest_usable() != made_from->newest_finished()) return false;
    return outdated(id, parent).has_value();
  });
}

std::vector<StepId> Registry::auto_updated(StepId id) const {
  std::vector<StepId> steps;
  const auto* made_from = find(id);
  if (made_from == nullptr) return steps;
  if (is_to_update(*made_from)) steps.push_back(id);
  for (auto child : made_from->used_by)
    if (is_to_update(steps_.at(child))) steps.push_back(child);
  return steps;
}

std::vector<StepId> Registry::auto_updated() const {
  std::vector<StepId> steps;
  for (const auto& [id, entry] : steps_)
    if (is_to_update(entry)) steps.push_back(id);
  return steps;
}

bool Registry::is_to_update(const Entry& entry) const {
  if (entry.leaving || entry.revisions.empty() || !entry.revisions.at(entry.newest_own()).auto_update) return false;
  return !entry.busy() && entry.revisions.rbegin()->second.state != State::cancelled && is_behind(entry.step.id);
}

std::set<RevisionKey> Registry::beyond(const Entry& entry, const Retention& keep) const {
  std::set<RevisionKey> keys;
  auto finished = entry.newest_finished();
  auto own = entry.newest_own();  // from which on a rerun makes all again
  int newer = 0;
  for (const auto& [number, brief] : entry.revisions | std::views::reverse) {
    auto too_many = keep.revisions && newer >= *keep.revisions;
    auto too_old = keep.ended_since && brief.ended < *keep.ended_since;
    auto needed = newer++ == 0 || number == finished || number >= own || !is_terminal(brief.state);
    if (!needed && (too_many || too_old)) keys.insert({.step = entry.step.id, .revision = number});
  }
  return keys;
}

std::vector<RevisionKey> Registry::superseded(const Retention& keep) const {
  if (!keep.revisions && !keep.ended_since) return {};
  std::set<RevisionKey> can_go;
  std::vector<RevisionKey> stay;
  for (const auto& [id, entry] : steps_) {
    auto keys = entry.leaving ? std::set<RevisionKey>{} : beyond(entry, keep);
    for (auto number : std::views::keys(entry.revisions))
      if (RevisionKey key{.step = id, .revision = number}; !keys.contains(key)) stay.push_back(key);
    can_go.merge(keys);
  }
  for (std::size_t next = 0; next < stay.size() && !can_go.empty(); ++next)
    for (const auto& parent : find(stay[next])->parents)
      if (can_go.erase(parent.key) > 0) stay.push_back(parent.key);
  return {can_go.begin(), can_go.end()};
}

std::vector<StepId> Registry::ancestors(StepId id) const {
  std::vector<StepId> found{id};
  std::set<StepId> seen{id};
  for (std::size_t next = 0; next < found.size(); ++next)
    if (steps_.contains(found[next]))
      for (auto parent : made_from(found[next]))
        if (steps_.contains(parent) && seen.insert(parent).second) found.push_back(parent);
  found.erase(found.begin());
  return found;
}

}  // namespace lo::engine
