#include "engine/registry.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <ranges>

#include "base/id.h"
#include "engine/runner.h"

namespace lo::engine {
namespace {

bool usable(State state) { return state != State::failed && state != State::cancelled; }

}  // namespace

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
  auto id = step.id;
  names_[step.name] = id;
  steps_[id].step = std::move(step);
}

void Registry::add_revision(const catalog::Revision& revision) {
  auto& brief = steps_.at(revision.key.step).revisions[revision.key.revision];
  brief = {.operation = revision.operation,
           .job = revision.job,
           .parents = {},
           .state = revision.state,
           .reason = revision.reason,
           .digest = string_or(revision.facts, kResultDigest)};
  set_parents(revision.key, revision.parents);
}

void Registry::set_state(RevisionKey key, State state, Reason reason) {
  auto at = steps_.find(key.step);
  if (at == steps_.end()) return;
  auto& brief = at->second.revisions.at(key.revision);
  brief.state = state;
  brief.reason = reason;
}

void Registry::set_digest(RevisionKey key, std::string digest) {
  if (auto at = steps_.find(key.step); at != steps_.end()) at->second.revisions.at(key.revision).digest = std::move(digest);
}

void Registry::set_parents(RevisionKey key, std::vector<catalog::Parent> parents) {
  for (const auto& parent : parents)
    if (auto at = steps_.find(parent.key.step); at != steps_.end() && parent.key.step != key.step)
      at->second.used_by.insert(key.step);
  steps_.at(key.step).revisions.at(key.revision).parents = std::move(parents);
}

void Registry::remove_revision(RevisionKey key) {
  if (auto at = steps_.find(key.step); at != steps_.end()) at->second.revisions.erase(key.revision);
}

void Registry::remove_step(StepId id) {
  auto node = steps_.extract(id);
  if (node.empty()) return;
  names_.erase(node.mapped().step.name);
  for (const auto& brief : std::views::values(node.mapped().revisions))
    for (const auto& parent : brief.parents)
      if (auto at = steps_.find(parent.key.step); at != steps_.end()) at->second.used_by.erase(id);
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

Result<catalog::Parent> Registry::bind(std::string_view text, std::string_view pointer) const {
  LO_ASSIGN(auto reference, parse_reference(text, pointer));
  auto refuse = [&](std::string why) { return fail_field(Code::unacceptable, std::string(pointer), std::move(why)); };
  const auto* entry = find(reference.name);
  if (entry == nullptr || entry->leaving) {
    auto near = nearest(reference.name, std::views::keys(names_));
    return refuse(fmt::format("there is no step \"{}\"{}", reference.name,
                              near.empty() || near == reference.name ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  auto revision = reference.revision ? reference.revision : entry->newest_usable();
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
  if (const auto& revisions = steps_.at(id).revisions; !revisions.empty())
    for (const auto& parent : revisions.rbegin()->second.parents) steps.insert(parent.key.step);
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
    for (const auto& parent : entry->revisions.at(*finished).parents) {
      if (auto why = outdated(line[next], parent))
        return line[next] == id ? *why : fmt::format("made from {}, which is stale: {}", entry->step.name, *why);
      if (!parent.name.contains('@') && seen.insert(parent.key.step).second) line.push_back(parent.key.step);
    }
  }
  return std::nullopt;
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
