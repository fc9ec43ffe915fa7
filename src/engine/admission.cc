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
  lanes_[lane].emplace(++turn_, Queued{.job = job, .wanted = wanted});
  queued_.emplace(job, Place{.lane = std::move(lane), .turn = turn_});
  ++owners_[owner].jobs;
}

void Admission::withdraw(const std::string& job) {
  auto found = queued_.extract(job);
  if (found.empty()) return;
  const auto& place = found.mapped();
  auto lane = lanes_.find(place.lane);
  lane->second.erase(place.turn);
  if (lane->second.empty()) lanes_.erase(lane);
  leave(place.lane.owner);
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
    auto missing = short_of(lanes_.at(*lane).begin()->second.wanted);
    if (missing.empty()) return grant(*lane);
    if (contains(missing, "cpu")) return std::nullopt;  // which every job wants
    reserved.insert(reserved.end(), missing.begin(), missing.end());
  }
  return std::nullopt;
}

Grant Admission::grant(const Lane& lane) {
  auto [job, wanted] = lanes_.at(lane).begin()->second;
  Held held{.owner = lane.owner, .resources = wanted, .gpus = {}};
  auto& owner = owners_.at(held.owner);
  ++owner.jobs;
  withdraw(job);  // the lane goes with its last job
  for (int i = 0; i < wanted.gpu; ++i) held.gpus.push_back(free_gpus_.extract(free_gpus_.begin()).value());
  add(used_, wanted, 1);
  add(owner.used, wanted, 1);
  owner.served = ++served_;
  Grant grant{.job = job, .gpus = held.gpus};
  held_.emplace(std::move(job), std::move(held));
  return grant;
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

std::optional<Admission::Standing> Admission::standing(const std::string& job) const {
  auto found = queued_.find(job);
  if (found == queued_.end()) return std::nullopt;
  const auto& place = found->second;
  return Standing{.place = place_of(place), .short_of = short_of(lanes_.at(place.lane).at(place.turn).wanted)};
}

// Plays the turns until it is the job's.
int Admission::place_of(const Place& wanted) const {
  struct Player {
    Resources used;
    std::vector<std::ranges::subrange<Jobs::const_iterator>> lanes;

    auto& next() {
      return *std::ranges::min_element(lanes, {}, [](const auto& lane) { return lane.empty() ? ~std::uint64_t{0} : lane.begin()->first; });
    }
  };
  using Turn = std::tuple<double, std::uint64_t, std::uint64_t, Player*>;  // as in lanes_in_order()
  std::map<std::string_view, Player> players;
  for (const auto& [lane, jobs] : lanes_) {
    auto& player = players[lane.owner];
    player.used = owners_.at(lane.owner).used;
    player.lanes.emplace_back(jobs.begin(), jobs.end());
  }
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  auto line_up = [&](Player& player, std::uint64_t served) {
    if (auto& lane = player.next(); !lane.empty()) turns.emplace(share(player.used), served, lane.begin()->first, &player);
  };
  for (auto& [name, player] : players) line_up(player, owners_.at(std::string(name)).served);
  auto served = served_;
  for (int place = 1;; ++place) {
    auto [share, last, turn, player] = turns.top();
    if (turn == wanted.turn) return place;
    turns.pop();
    auto& lane = player->next();
    add(player->used, lane.begin()->second.wanted, 1);
    lane.advance(1);
    line_up(*player, ++served);
  }
}

}  // namespace lo::engine
