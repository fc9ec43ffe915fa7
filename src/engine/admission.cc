#include "engine/admission.h"

#include <algorithm>
#include <queue>
#include <ranges>
#include <tuple>

namespace lo::engine {
namespace {

constexpr double kRounding = 1e-9;

void add(Resources& to, const Resources& what, int sign) {
  to.cpu += sign * what.cpu;
  to.memory += sign * what.memory;
  to.gpu += sign * what.gpu;
}

bool contains(const std::vector<std::string>& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

}  // namespace

Admission::Admission(Resources capacity) : capacity_(capacity) {
  for (int gpu = 0; gpu < capacity.gpu; ++gpu) free_gpus_.insert(gpu);
}

void Admission::push(const std::string& job, const std::string& owner, Resources wanted) {
  wanted.cpu = std::min(wanted.cpu, capacity_.cpu);
  wanted.memory = std::min(wanted.memory, capacity_.memory);
  Lane lane{.owner = owner, .memory = wanted.memory > 0, .gpu = wanted.gpu > 0};
  lanes_[lane].emplace(++turn_, job);
  queued_.emplace(job, Queued{.lane = std::move(lane), .turn = turn_, .wanted = wanted});
  ++owners_[owner].jobs;
}

void Admission::withdraw(const std::string& job) {
  auto found = queued_.extract(job);
  if (found.empty()) return;
  const auto& queued = found.mapped();
  auto lane = lanes_.find(queued.lane);
  lane->second.erase(queued.turn);
  if (lane->second.empty()) lanes_.erase(lane);
  leave(queued.lane.owner);
}

// An owner without jobs is forgotten.
void Admission::leave(const std::string& owner) {
  auto at = owners_.find(owner);
  if (--at->second.jobs == 0) owners_.erase(at);
}

double Admission::share(const Resources& used) const {
  auto part = [](double of, double whole) { return whole > 0 ? of / whole : 0; };
  return std::max({part(used.cpu, capacity_.cpu), part(static_cast<double>(used.memory), static_cast<double>(capacity_.memory)),
                   part(used.gpu, capacity_.gpu)});
}

std::vector<std::string> Admission::short_of(const Resources& wanted) const {
  std::vector<std::string> missing;
  if (used_.cpu + wanted.cpu > capacity_.cpu + kRounding) missing.emplace_back("cpu");
  if (wanted.memory > capacity_.memory - used_.memory) missing.emplace_back("memory");
  if (wanted.gpu > capacity_.gpu - used_.gpu) missing.emplace_back("gpu");
  return missing;
}

std::vector<const Admission::Lane*> Admission::lanes_in_order() const {
  using Rank = std::tuple<double, std::uint64_t, std::uint64_t>;
  std::vector<std::pair<Rank, const Lane*>> ranked;
  for (const auto& [lane, jobs] : lanes_) {
    const auto& owner = owners_.at(lane.owner);
    ranked.emplace_back(Rank{share(owner.used), owner.served, jobs.begin()->first}, &lane);
  }
  std::ranges::sort(ranked);
  auto lanes = ranked | std::views::values;
  return {lanes.begin(), lanes.end()};
}

std::optional<Grant> Admission::take() {
  std::vector<std::string> reserved;
  for (const auto* lane : lanes_in_order()) {
    if ((lane->memory && contains(reserved, "memory")) || (lane->gpu && contains(reserved, "gpu"))) continue;
    auto job = lanes_.at(*lane).begin()->second;
    auto missing = short_of(queued_.at(job).wanted);
    if (missing.empty()) return grant(job);
    if (contains(missing, "cpu")) return std::nullopt;  // which every job wants
    reserved.insert(reserved.end(), missing.begin(), missing.end());
  }
  return std::nullopt;
}

Grant Admission::grant(const std::string& job) {
  auto queued = queued_.at(job);
  auto& owner = owners_[queued.lane.owner];
  ++owner.jobs;
  withdraw(job);
  Held held{.owner = queued.lane.owner, .resources = queued.wanted, .gpus = {}};
  for (int i = 0; i < queued.wanted.gpu; ++i) held.gpus.push_back(free_gpus_.extract(free_gpus_.begin()).value());
  add(used_, queued.wanted, 1);
  add(owner.used, queued.wanted, 1);
  owner.served = ++served_;
  return {.job = job, .gpus = held_.emplace(job, std::move(held)).first->second.gpus};
}

void Admission::release(const std::string& job) {
  auto found = held_.extract(job);
  if (found.empty()) return;
  const auto& held = found.mapped();
  add(used_, held.resources, -1);
  add(owners_.at(held.owner).used, held.resources, -1);
  free_gpus_.insert(held.gpus.begin(), held.gpus.end());
  leave(held.owner);
}

// Plays the turns until it is the job's.
std::optional<Admission::Standing> Admission::standing(const std::string& job) const {
  auto found = queued_.find(job);
  if (found == queued_.end()) return std::nullopt;
  struct Turn {
    double share;
    std::uint64_t served, turn;
    std::string_view owner;
    bool operator>(const Turn& other) const { return std::tie(share, served, turn) > std::tie(other.share, other.served, other.turn); }
  };
  std::map<std::string_view, Jobs> left;
  for (const auto& [lane, jobs] : lanes_) left[lane.owner].insert(jobs.begin(), jobs.end());
  std::map<std::string_view, Owner> owners(owners_.begin(), owners_.end());
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  auto line_up = [&](std::string_view name) {
    if (const auto& jobs = left.at(name); !jobs.empty())
      turns.push({.share = share(owners.at(name).used), .served = owners.at(name).served, .turn = jobs.begin()->first, .owner = name});
  };
  for (const auto& [name, jobs] : left) line_up(name);
  auto served = served_;
  for (int place = 1;; ++place) {
    auto name = turns.top().owner;
    turns.pop();
    auto next = left.at(name).extract(left.at(name).begin());
    if (next.mapped() == job) return Standing{.place = place, .short_of = short_of(found->second.wanted)};
    add(owners.at(name).used, queued_.at(next.mapped()).wanted, 1);
    owners.at(name).served = ++served;
    line_up(name);
  }
}

}  // namespace lo::engine
