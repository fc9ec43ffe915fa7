#include "catalog/fake_catalog.h"

#include <algorithm>
#include <iterator>
#include <ranges>

#include "catalog/fake_memory.h"

namespace lo::catalog {
namespace {

template <class T, class Values, class Predicate>
std::vector<T> copy_where(const Values& values, Predicate matches) {
  std::vector<T> out;
  std::ranges::copy_if(values, std::back_inserter(out), matches);
  return out;
}

template <class T>
std::vector<T> page_of(const std::vector<T>& all, std::int64_t limit, std::int64_t skip) {
  auto size = static_cast<std::int64_t>(all.size());
  auto begin = std::clamp<std::int64_t>(skip, 0, size);
  auto end = begin + std::clamp<std::int64_t>(limit, 0, size - begin);
  return std::vector<T>(all.begin() + begin, all.begin() + end);
}

bool matches(const Memory& memory, const Step& step, const StepFilter& filter) {
  const auto* newest = memory.newest(step.id);
  if (!filter.service.empty() && step.service != filter.service) return false;
  if (filter.state && (newest == nullptr || newest->state != *filter.state)) return false;
  auto typed = [&](const auto& entry) { return entry.first.step == step.id && entry.second.operation == "transform/dataType"; };
  if (filter.typed_in_place && std::ranges::none_of(memory.revisions(), typed)) return false;
  return filter.label_key.empty() || has_label(step.labels, filter.label_key, filter.label_value);
}

json::object members(const json::object& object, const std::vector<std::string_view>& names) {
  json::object out;
  for (auto name : names)
    if (const auto* value = object.if_contains(name); value != nullptr && !value->is_null()) out[name] = *value;
  return out;
}

}  // namespace

std::shared_ptr<Memory> make_memory() { return std::make_shared<Memory>(); }

FakeCatalog::FakeCatalog(Mode mode, std::shared_ptr<Memory> memory)
    : mode_(mode), next_id_(memory->begin_ids()), memory_(std::move(memory)) {}

FakeCatalog::~FakeCatalog() = default;

void FakeCatalog::fail_next(Error error, int times) {
  MutexLock lock(mutex_);
  failure_ = std::move(error);
  failures_left_ = times;
}

Status FakeCatalog::take_failure() {
  if (failures_left_ == 0) return {};
  --failures_left_;
  return fail(*failure_);
}

std::size_t FakeCatalog::waiting() const {
  MutexLock lock(mutex_);
  return waiting_.size();
}

void FakeCatalog::commit(Batch batch, Callback<Status> done) {
  Status injected;
  {
    MutexLock lock(mutex_);
    injected = take_failure();
  }
  hand_over([batch = std::move(batch), done = std::move(done), injected = std::move(injected)](
                Memory& memory, std::vector<Event>& events) mutable -> Tell {
    auto status = injected ? memory.apply(batch, events) : injected;
    return [done = std::move(done), status = std::move(status)]() mutable {
      if (done) done(std::move(status));
    };
  });
}

void FakeCatalog::trim_events(std::int64_t keep, Callback<Result<std::int64_t>> done) {
  hand_over([keep, done = std::move(done)](Memory& memory, std::vector<Event>&) mutable -> Tell {
    return [done = std::move(done), gone = memory.trim(std::max(keep, kKeptEvents))]() mutable {
      if (done) done(gone);
    };
  });
}

void FakeCatalog::hand_over(Work work) {
  {
    MutexLock lock(mutex_);
    waiting_.push_back(std::move(work));
    if (mode_ == Mode::manual || flushing_) return;  // whoever flushes finds it
    flushing_ = true;
  }
  while (true) {
    auto group = take(static_cast<std::size_t>(-1));
    if (group.empty()) return;
    work_off(std::move(group));
  }
}

// An empty group ends the flushing, under the same lock that found nothing waiting.
std::vector<FakeCatalog::Work> FakeCatalog::take(std::size_t most) {
  MutexLock lock(mutex_);
  if (waiting_.empty()) flushing_ = false;
  auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  std::vector<Work> group(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return group;
}

std::size_t FakeCatalog::work_off(std::vector<Work> group) {
  std::vector<Event> events;
  std::vector<Tell> tells;
  {
    MutexLock lock(mutex_);
    for (auto& work : group) tells.push_back(work(*memory_, events));
  }
  if (listener_ && !events.empty()) listener_(events);
  for (auto& tell : tells) tell();
  return group.size();
}

std::size_t FakeCatalog::flush(std::size_t most) { return work_off(take(most)); }

void FakeCatalog::flush_all() {
  while (flush() != 0) {
  }
}

StepId FakeCatalog::next_step_id() { return next_id_++; }

void FakeCatalog::on_events(std::function<void(std::span<const Event>)> listener) { listener_ = std::move(listener); }

Result<std::optional<Step>> FakeCatalog::find_step(std::string_view name) {
  MutexLock lock(mutex_);
  return memory_->find(std::string(name));
}

Result<std::vector<Step>> FakeCatalog::list_steps(const StepFilter& filter) {
  MutexLock lock(mutex_);
  auto found = copy_where<Step>(memory_->steps() | std::views::values,
                                [&](const Step& step) { return matches(*memory_, step, filter); });
  return page_of(found, filter.limit, filter.skip);
}

Result<std::optional<Revision>> FakeCatalog::revision(RevisionKey key) {
  MutexLock lock(mutex_);
  auto found = memory_->revisions().find(key);
  return found == memory_->revisions().end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<Revision>> FakeCatalog::revisions(StepId step) {
  MutexLock lock(mutex_);
  return copy_where<Revision>(memory_->revisions() | std::views::values,
                              [&](const Revision& revision) { return revision.key.step == step; });
}

Result<std::vector<Attempt>> FakeCatalog::attempts(StepId step) {
  MutexLock lock(mutex_);
  return copy_where<Attempt>(memory_->attempts() | std::views::values,
                             [&](const Attempt& attempt) { return attempt.key.step == step; });
}

Result<std::vector<Event>> FakeCatalog::events_after(std::int64_t seq, const EventFilter& filter, int limit) {
  MutexLock lock(mutex_);
  auto wanted = [&](const Event& event) { return event.seq > seq && filter.matches(event); };
  std::vector<Event> out;
  std::ranges::copy(memory_->events() | std::views::filter(wanted) | std::views::take(std::max(0, limit)),
                    std::back_inserter(out));
  return out;
}

Result<std::int64_t> FakeCatalog::last_event() {
  MutexLock lock(mutex_);
  return memory_->events().empty() ? 0 : memory_->events().back().seq;
}

Result<std::int64_t> FakeCatalog::first_event() {
  MutexLock lock(mutex_);
  return memory_->events().empty() ? 0 : memory_->events().front().seq;
}

Result<std::vector<Subscription>> FakeCatalog::subscriptions() {
  MutexLock lock(mutex_);
  return copy_where<Subscription>(memory_->subscriptions() | std::views::values, [](const auto&) { return true; });
}

Result<std::optional<Workflow>> FakeCatalog::find_workflow(std::string_view name) {
  MutexLock lock(mutex_);
  auto found = memory_->workflows().find(std::string(name));
  return found == memory_->workflows().end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<Workflow>> FakeCatalog::list_workflows(std::int64_t limit, std::int64_t skip) {
  MutexLock lock(mutex_);
  auto found = copy_where<Workflow>(memory_->workflows() | std::views::values, [](const auto&) { return true; });
  std::ranges::stable_sort(found, {}, &Workflow::created);
  return page_of(found, limit, skip);
}

Result<std::optional<Receipt>> FakeCatalog::find_receipt(std::string_view key) {
  MutexLock lock(mutex_);
  auto found = memory_->receipts().find(std::string(key));
  return found == memory_->receipts().end() ? std::nullopt : std::optional(found->second);
}

Result<std::vector<Usage>> FakeCatalog::usage(std::string_view label) {
  MutexLock lock(mutex_);
  return copy_where<Usage>(memory_->usage(label) | std::views::values, [](const auto&) { return true; });
}

Result<std::vector<std::string>> FakeCatalog::garbage() {
  MutexLock lock(mutex_);
  return copy_where<std::string>(memory_->garbage() | std::views::keys, [](const auto&) { return true; });
}

Result<std::vector<std::string>> FakeCatalog::unreferenced(std::vector<std::string> digests) {
  MutexLock lock(mutex_);
  auto live = memory_->live_digests();
  std::erase_if(digests, [&](const std::string& digest) { return live.contains(digest); });
  return digests;
}

Result<std::vector<std::string>> FakeCatalog::held_only_by(std::vector<RevisionKey> revisions) {
  MutexLock lock(mutex_);
  std::set<std::string> theirs;
  std::set<std::string> others;
  for (const auto& [key, revision] : memory_->revisions()) {
    auto is_theirs = std::ranges::find(revisions, key) != revisions.end();
    for (auto& digest : digests_in(revision)) (is_theirs ? theirs : others).insert(std::move(digest));
  }
  std::erase_if(theirs, [&](const std::string& digest) { return others.contains(digest); });
  return std::vector<std::string>(theirs.begin(), theirs.end());
}

Result<std::set<std::string>> FakeCatalog::live_digests() {
  MutexLock lock(mutex_);
  return memory_->live_digests();
}

Status FakeCatalog::each_step(const std::function<void(Step)>& visit) {
  LO_ASSIGN(auto steps, all_steps());
  for (auto& step : steps) visit(std::move(step));
  return {};
}

Status FakeCatalog::each_revision(const Outline& outline, const std::function<void(Revision)>& visit) {
  LO_ASSIGN(auto revisions, all_revisions());
  for (auto& revision : revisions) {
    Revision shown;
    shown.key = revision.key;
    shown.operation = std::move(revision.operation);
    shown.parents = std::move(revision.parents);
    shown.state = revision.state;
    shown.reason = revision.reason;
    shown.accepted = revision.accepted;
    shown.ended = revision.ended;
    shown.request = members(revision.request, outline.request);
    shown.facts = members(revision.facts, outline.facts);
    visit(std::move(shown));
  }
  return {};
}

Result<std::vector<Revision>> FakeCatalog::open_revisions() {
  LO_ASSIGN(auto revisions, all_revisions());
  std::erase_if(revisions, [](const Revision& revision) { return is_terminal(revision.state); });
  return revisions;
}

Result<std::vector<Step>> FakeCatalog::all_steps() {
  MutexLock lock(mutex_);
  return copy_where<Step>(memory_->steps() | std::views::values, [](const auto&) { return true; });
}

Result<std::vector<Revision>> FakeCatalog::all_revisions() {
  MutexLock lock(mutex_);
  auto out = copy_where<Revision>(memory_->revisions() | std::views::values, [](const auto&) { return true; });
  for (auto& revision : out) revision.result.clear();
  return out;
}

}  // namespace lo::catalog
