#include "catalog/sqlite/step_order.h"

#include <algorithm>
#include <ranges>

namespace lo::catalog::sqlite {
namespace {

void insert(std::vector<StepId>& ids, StepId id) {
  auto at = std::ranges::lower_bound(ids, id);
  if (at == ids.end() || *at != id) ids.insert(at, id);
}

bool erase(std::vector<StepId>& ids, StepId id) {
  auto at = std::ranges::lower_bound(ids, id);
  if (at == ids.end() || *at != id) return false;
  ids.erase(at);
  return true;
}

}  // namespace

std::vector<StepChange> step_changes(const Batch& batch) {
  std::vector<StepChange> changes;
  for (const auto& change : batch) {
    if (const auto* add = std::get_if<AddStep>(&change)) changes.push_back({.id = add->step.id, .service = add->step.service});
    if (const auto* remove = std::get_if<RemoveStep>(&change)) changes.push_back({.id = remove->id});
  }
  return changes;
}

Result<std::optional<StepId>> StepOrder::at(std::string_view service, std::int64_t skip, const ReadAll& read_all) {
  LO_TRY(learn(read_all));
  MutexLock lock(mutex_);
  auto found = ids_.find(service);
  if (found == ids_.end() || skip >= std::ssize(found->second)) return std::nullopt;
  return found->second[static_cast<std::size_t>(skip)];
}

// What was read may have some of the changes of meanwhile already, so that each of them can be applied twice: no id is ever given again.
Status StepOrder::learn(const ReadAll& read_all) {
  MutexLock one_at_a_time(learning_);
  {
    MutexLock lock(mutex_);
    if (known_ == Known::all) return {};
    known_ = Known::soon;
  }
  Ids ids;
  auto status = read_all([&](std::string_view service, StepId id) {
    auto at = ids.find(service);
    (at == ids.end() ? ids[std::string(service)] : at->second).push_back(id);
    ids[""].push_back(id);
  });
  std::ranges::sort(ids[""]);
  MutexLock lock(mutex_);
  for (const auto& change : std::exchange(meanwhile_, {})) apply(change, ids);
  known_ = status ? Known::all : Known::nothing;
  if (status) ids_ = std::move(ids);
  return status;
}

void StepOrder::changed(std::vector<StepChange> changes) {
  MutexLock lock(mutex_);
  for (auto& change : changes) {
    if (known_ == Known::all) apply(change, ids_);
    if (known_ == Known::soon) meanwhile_.push_back(std::move(change));
  }
}

void StepOrder::apply(const StepChange& change, Ids& ids) {
  if (!change.service.empty()) {
    insert(ids[""], change.id);
    insert(ids[change.service], change.id);
  } else if (erase(ids[""], change.id)) {
    std::ignore = std::ranges::any_of(ids, [&](auto& of_service) { return !of_service.first.empty() && erase(of_service.second, change.id); });
  }
}

}  // namespace lo::catalog::sqlite
