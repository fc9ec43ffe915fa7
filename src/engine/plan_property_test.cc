// The scheduler in random worlds, against what must always hold: no step is lost, each revision ends once, none starts before its parents
// have finished or before its time, resources are never exceeded, and in the end nothing is left.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/plan.h"

namespace lo::engine {
namespace {

constexpr SteadyTime kStart{std::chrono::seconds{1000}};
constexpr WallTime kWall{std::chrono::seconds{1'700'000'000}};
constexpr double kCpus = 3;
constexpr int kMostLost = 3;

// What a catalog remembers of a job.
struct Known {
  PlannedJob spec;
  int attempts = 0, lost = 0;
};

struct Running {
  std::string job;
  int attempt;
  std::set<RevisionKey> open;
};

class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed) : random_(seed) {}

  void live() {
    for (int i = pick(5, 40); i > 0; --i) {
      add_step();
      while (chance(0.5)) something_happens();
    }
    for (int i = 0; i < 100'000 && busy(); ++i) something_happens();
    EXPECT_FALSE(busy()) << "not quiescent";
    EXPECT_EQ(plan_.running(), 0U);
    EXPECT_EQ(plan_.queued(), 0U);
    EXPECT_NEAR(plan_.cpu_used(), 0, 1e-9);
    EXPECT_FALSE(plan_.next_due() || plan_.next_wake());
  }

 private:
  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  WallTime wall() const { return kWall + std::chrono::duration_cast<std::chrono::microseconds>(now_ - kStart) + jumped_; }
  bool has_ended(RevisionKey key) const { return is_terminal(states_.at(key)); }
  bool busy() const {
    return !running_.empty() || std::ranges::any_of(states_, [](const auto& item) { return !is_terminal(item.second); });
  }

  auto some_revision() { return std::next(states_.begin(), pick(0, static_cast<int>(states_.size()) - 1))->first; }

  void add_step() {
    PlannedJob spec;
    for (int i = pick(1, 3); i > 0; --i) spec.members.push_back({.step = next_step_++, .revision = 1});
    for (int i = pick(0, 3); i > 0 && !states_.empty(); --i)
      if (auto parent = some_revision(); std::ranges::find(spec.parents, parent) == spec.parents.end()) spec.parents.push_back(parent);
    add(std::move(spec));
  }

  void add(PlannedJob spec) {
    spec.id = std::to_string(jobs_.size());
    spec.owner = std::to_string(pick(0, 2));
    spec.policy.retry.max_attempts = pick(1, 3);
    spec.policy.retry.delay = std::chrono::seconds{pick(0, 2)};
    spec.policy.limits.cpu = pick(1, 5);
    if (chance(0.2)) spec.due = wall() + std::chrono::seconds{pick(1, 30)};
    for (auto member : spec.members) {
      states_[member] = State::waiting;
      job_of_[member] = spec.id;
    }
    jobs_[spec.id] = {.spec = spec};
    order_.push_back(spec.id);
    hand_over(spec.id);
  }

  // As after a submission, and after a restart.
  void hand_over(const std::string& id) {
    const auto& known = jobs_.at(id);
    auto spec = known.spec;
    spec.attempts = known.attempts;
    spec.lost = known.lost;
    std::erase_if(spec.members, [this](RevisionKey member) { return has_ended(member); });
    if (spec.members.empty()) return;
    if (spec.due && (*spec.due <= wall() || known.attempts > 0)) spec.due.reset();
    std::set<RevisionKey> unfinished;
    std::optional<RevisionKey> failed;
    for (auto parent : spec.parents) {
      if (!has_ended(parent)) unfinished.insert(parent);
      if (has_ended(parent) && states_.at(parent) != State::finished) failed = parent;
    }
    see(plan_.add(std::move(spec), unfinished, failed));
  }

  void something_happens() {
    now_ += std::chrono::milliseconds{pick(0, 700)};
    auto what = pick(0, 29);
    if (what < 2) return cancel_one();
    if (what == 2) return patch_one();
    if (what == 3 && chance(0.3)) return crash();
    if (what == 4 && chance(0.3)) jumped_ += std::chrono::seconds{pick(-100, 100)};
    if (what < 8 || running_.empty()) return see(plan_.tick(now_, wall()));
    auto at = std::next(running_.begin(), pick(0, static_cast<int>(running_.size()) - 1));
    if (at->open.empty() || what < 11) return end_job(at);
    auto member = *at->open.begin();
    at->open.erase(member);
    see(plan_.member_ended(at->job, at->attempt, member, {.state = chance(0.7) ? State::finished : State::failed, .reason = Reason::error}));
  }

  void end_job(std::vector<Running>::iterator at) {
    auto ended = *at;
    running_.erase(at);
    see(plan_.job_ended(ended.job, ended.attempt, now_));
    EXPECT_TRUE(plan_.job_ended(ended.job, ended.attempt, now_).empty()) << "ended twice";
  }

  void cancel_one() {
    if (states_.empty()) return;
    auto key = some_revision();
    auto had_ended = has_ended(key);
    auto decisions = plan_.cancel(key);
    EXPECT_EQ(decisions.empty(), had_ended);
    see(decisions);
  }

  // A new revision of a step: those that wait for the old one wait for it, and the old one is cancelled.
  void patch_one() {
    if (states_.empty()) return;
    auto old = some_revision();
    while (states_.contains({.step = old.step, .revision = old.revision + 1})) ++old.revision;
    RevisionKey fresh{.step = old.step, .revision = old.revision + 1};
    states_[fresh] = State::waiting;
    for (auto child : plan_.rebind(old, fresh, [](RevisionKey) { return true; })) {
      EXPECT_FALSE(has_ended(child));
      EXPECT_EQ(jobs_.at(job_of_.at(child)).attempts, 0) << "rebound after its start";
      std::ranges::replace(jobs_.at(job_of_.at(child)).spec.parents, old, fresh);
    }
    see(plan_.cancel(old));
    PlannedJob spec;
    spec.members = {fresh};
    spec.parents = jobs_.at(job_of_.at(old)).spec.parents;
    add(std::move(spec));
  }

  // What ran is counted as lost, and fails when that has happened too often. All else is handed to a new plan.
  void crash() {
    for (const auto& running : running_) {
      auto& known = jobs_.at(running.job);
      if (++known.lost <= kMostLost) continue;
      for (auto member : known.spec.members)
        if (!has_ended(member)) states_.at(member) = State::failed;
    }
    running_.clear();
    plan_ = Plan({.cpu_capacity = kCpus});
    for (const auto& id : order_) hand_over(id);
  }

  void see(const Decisions& decisions) {
    latest_ = std::max(latest_, wall());
    for (const auto& decision : decisions) {
      if (const auto* transition = std::get_if<Transition>(&decision)) see(*transition);
      if (const auto* start = std::get_if<StartJob>(&decision)) see(*start);
    }
  }

  void see(const Transition& transition) {
    EXPECT_FALSE(has_ended(transition.key)) << "a second end of step " << transition.key.step;
    states_.at(transition.key) = transition.state;
  }

  void see(const StartJob& start) {
    auto& known = jobs_.at(start.job);
    EXPECT_EQ(start.attempt, known.attempts + 1);
    known.attempts = start.attempt;
    EXPECT_FALSE(start.members.empty());
    for (auto parent : known.spec.parents) EXPECT_EQ(states_.at(parent), State::finished) << "started before its parent " << parent.step;
    EXPECT_LE(known.spec.due.value_or(latest_), latest_) << "started before its time";
    running_.push_back({.job = start.job, .attempt = start.attempt, .open = {start.members.begin(), start.members.end()}});
    double used = 0;
    for (const auto& running : running_) used += std::min(kCpus, jobs_.at(running.job).spec.policy.limits.cpu);
    EXPECT_LE(used, kCpus + 1e-9);
  }

  std::mt19937 random_;
  Plan plan_{{.cpu_capacity = kCpus}};
  SteadyTime now_ = kStart;
  std::chrono::seconds jumped_{0};
  WallTime latest_ = kWall;  // that the plan has seen
  catalog::StepId next_step_ = 0;
  std::map<RevisionKey, State> states_;
  std::map<RevisionKey, std::string> job_of_;
  std::map<std::string, Known> jobs_;
  std::vector<std::string> order_;
  std::vector<Running> running_;
};

// Several tests, so that each is short under a sanitizer, too.
class PlanProperties : public testing::TestWithParam<int> {};

TEST_P(PlanProperties, HoldInRandomWorlds) {
  constexpr unsigned kWorlds = 1'000;
  auto first = std::random_device{}();
  for (unsigned seed = first; seed != first + kWorlds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld(seed).live();
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(TenThousand, PlanProperties, testing::Range(0, 10));

}  // namespace
}  // namespace lo::engine
