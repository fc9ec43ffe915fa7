#include "engine/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lo::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr SteadyTime kStart{std::chrono::seconds{1000}};

RevisionKey key(catalog::StepId step, int revision = 1) { return {.step = step, .revision = revision}; }

PlannedJob job(std::string id, std::vector<RevisionKey> members, std::vector<RevisionKey> parents = {}, double cpu = 1) {
  PlannedJob out{.id = std::move(id), .members = std::move(members), .parents = std::move(parents), .policy = {}};
  out.policy.limits.cpu = cpu;
  return out;
}

std::vector<std::string> started(const Decisions& decisions) {
  std::vector<std::string> out;
  for (const auto& decision : decisions)
    if (const auto* start = std::get_if<StartJob>(&decision)) out.push_back(start->job);
  return out;
}

std::vector<std::pair<RevisionKey, State>> transitions(const Decisions& decisions) {
  std::vector<std::pair<RevisionKey, State>> out;
  for (const auto& decision : decisions)
    if (const auto* transition = std::get_if<Transition>(&decision)) out.emplace_back(transition->key, transition->state);
  return out;
}

const Transition* transition_of(const Decisions& decisions, RevisionKey of) {
  for (const auto& decision : decisions)
    if (const auto* transition = std::get_if<Transition>(&decision); transition != nullptr && transition->key == of)
      return transition;
  return nullptr;
}

constexpr Ending kFinished{.state = State::finished};
constexpr Ending kFailed{.state = State::failed, .reason = Reason::error};

TEST(Plan, StartsAJobWithoutParentsAtOnce) {
  Plan plan({.cpu_capacity = 2});
  auto decisions = plan.add(job("a", {key(1)}), {}, {});
  EXPECT_THAT(started(decisions), ElementsAre("a"));
  EXPECT_THAT(transitions(decisions), ElementsAre(std::pair(key(1), State::queued), std::pair(key(1), State::running)));
}

TEST(Plan, HoldsAJobUntilItsLastParentHasFinished) {
  Plan plan({.cpu_capacity = 2});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job("b", {key(2)}), {}, {});
  EXPECT_THAT(plan.add(job("c", {key(3)}, {key(1), key(2)}), {key(1), key(2)}, {}), IsEmpty());
  EXPECT_THAT(plan.why(key(3)).parents, ElementsAre(key(1), key(2)));
  EXPECT_THAT(started(plan.member_ended("a", 1, key(1), kFinished)), IsEmpty());
  plan.job_ended("a", 1, kStart);
  EXPECT_THAT(started(plan.member_ended("b", 1, key(2), kFinished)), ElementsAre("c"));
}

TEST(Plan, FailsEverythingDownstreamOfAFailureAndNamesTheCause) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job("b", {key(2)}, {key(1)}), {key(1)}, {});
  plan.add(job("c", {key(3)}, {key(2)}), {key(2)}, {});
  auto decisions = plan.member_ended("a", 1, key(1), kFailed);
  ASSERT_NE(transition_of(decisions, key(3)), nullptr);
  EXPECT_EQ(transition_of(decisions, key(2))->reason, Reason::upstream_failed);
  EXPECT_EQ(transition_of(decisions, key(2))->cause, key(1));
  EXPECT_EQ(transition_of(decisions, key(3))->cause, key(2));
  EXPECT_FALSE(plan.contains(key(3)));
}

TEST(Plan, SurvivesALongChainOfFailures) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("0", {key(0)}), {}, {});
  constexpr int kLength = 100'000;
  for (int i = 1; i < kLength; ++i) plan.add(job(std::to_string(i), {key(i)}, {key(i - 1)}), {key(i - 1)}, {});
  EXPECT_EQ(transitions(plan.member_ended("0", 1, key(0), kFailed)).size(), static_cast<std::size_t>(kLength));
}

TEST(Plan, FailsAtOnceWhatIsAddedBelowAFailedParent) {
  Plan plan({});
  auto decisions = plan.add(job("b", {key(2)}, {key(1)}), {}, key(1));
  EXPECT_EQ(transition_of(decisions, key(2))->reason, Reason::upstream_failed);
  EXPECT_FALSE(plan.contains(key(2)));
}

TEST(Plan, KeepsABigJobAtTheHeadOfTheQueue) {
  Plan plan({.cpu_capacity = 2});
  plan.add(job("small", {key(1)}), {}, {});
  EXPECT_THAT(started(plan.add(job("big", {key(2)}, {}, 2), {}, {})), IsEmpty());
  EXPECT_THAT(started(plan.add(job("late", {key(3)}), {}, {})), IsEmpty());
  EXPECT_EQ(plan.why(key(2)).queue_place, 1);
  EXPECT_EQ(plan.why(key(3)).queue_place, 2);
  plan.member_ended("small", 1, key(1), kFinished);
  EXPECT_THAT(started(plan.job_ended("small", 1, kStart)), ElementsAre("big"));
}

TEST(Plan, SaysWhatAQueuedJobIsShortOf) {
  Plan plan({.cpu_capacity = 4, .gpu_capacity = 1});
  auto with_gpu = [](std::string id, RevisionKey member) {
    auto out = job(std::move(id), {member});
    out.policy.limits.gpu = 1;
    return out;
  };
  auto first = plan.add(with_gpu("a", key(1)), {}, {});
  EXPECT_THAT(std::get<StartJob>(first.back()).gpus, ElementsAre(0));
  plan.add(with_gpu("b", key(2)), {}, {});
  EXPECT_THAT(plan.why(key(2)).short_of, ElementsAre("gpu"));
  EXPECT_THAT(started(plan.add(job("c", {key(3)}), {}, {})), ElementsAre("c"));
}

TEST(Plan, OwnersTakeTurns) {
  Plan plan({.cpu_capacity = 1});
  auto of = [](std::string owner, std::string id, RevisionKey member) {
    auto out = job(std::move(id), {member});
    out.owner = std::move(owner);
    return out;
  };
  plan.add(of("ada", "a1", key(1)), {}, {});
  plan.add(of("ada", "a2", key(2)), {}, {});
  plan.add(of("bob", "b1", key(3)), {}, {});
  EXPECT_EQ(plan.why(key(3)).queue_place, 1);
  EXPECT_EQ(plan.why(key(2)).queue_place, 2);
  plan.member_ended("a1", 1, key(1), kFinished);
  EXPECT_THAT(started(plan.job_ended("a1", 1, kStart)), ElementsAre("b1"));
}

TEST(Plan, GoesOnWithThePauseOfAJobThatWasTriedBefore) {
  Plan plan({.cpu_capacity = 1});
  auto tried = job("a", {key(1)});
  tried.attempts = 1;
  tried.policy.retry.max_attempts = 2;
  tried.not_before = kStart + std::chrono::seconds{5};
  EXPECT_THAT(transitions(plan.add(tried, {}, {})), ElementsAre(std::pair(key(1), State::queued)));
  EXPECT_EQ(plan.why(key(1)).retry_at, tried.not_before);
  EXPECT_THAT(started(plan.tick(kStart + std::chrono::seconds{5})), ElementsAre("a"));
}

TEST(Plan, RunsAJobThatWantsMoreThanThereIsAlone) {
  Plan plan({.cpu_capacity = 2});
  EXPECT_THAT(started(plan.add(job("huge", {key(1)}, {}, 64), {}, {})), ElementsAre("huge"));
  EXPECT_DOUBLE_EQ(plan.cpu_used(), 2);
}

TEST(Plan, FreesResourcesOnlyWhenTheJobIsGone) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job("b", {key(2)}), {}, {});
  EXPECT_THAT(started(plan.member_ended("a", 1, key(1), kFinished)), IsEmpty());
  EXPECT_THAT(started(plan.job_ended("a", 1, kStart)), ElementsAre("b"));
}

TEST(Plan, TriesAgainAfterTheDelay) {
  Plan plan({.cpu_capacity = 1});
  auto flaky = job("a", {key(1)});
  flaky.policy.retry = {.max_attempts = 2, .delay = std::chrono::seconds{3}, .backoff = 2};
  plan.add(flaky, {}, {});
  EXPECT_THAT(plan.member_ended("a", 1, key(1), kFailed), IsEmpty());
  EXPECT_EQ(transition_of(plan.job_ended("a", 1, kStart), key(1))->state, State::queued);
  EXPECT_GE(plan.next_wake(), kStart + std::chrono::seconds{3});
  EXPECT_LE(plan.next_wake(), kStart + std::chrono::milliseconds{3750});
  EXPECT_THAT(plan.tick(kStart + std::chrono::seconds{2}), IsEmpty());
  EXPECT_THAT(started(plan.tick(kStart + std::chrono::seconds{4})), ElementsAre("a"));
  EXPECT_EQ(transition_of(plan.member_ended("a", 2, key(1), kFailed), key(1))->state, State::failed);
}

TEST(Plan, DoesNotCountLostAttemptsAgainstTheRetries) {
  Plan plan({.cpu_capacity = 1});
  auto flaky = job("a", {key(1)});
  flaky.policy.retry.max_attempts = 2;
  flaky.attempts = flaky.lost = 2;
  plan.add(flaky, {}, {});
  EXPECT_THAT(plan.member_ended("a", 3, key(1), kFailed), IsEmpty());
}

TEST(Plan, RepeatsOnlyTheMembersThatFailed) {
  Plan plan({.cpu_capacity = 1});
  auto builder = job("a", {key(1), key(2)});
  builder.policy.retry.max_attempts = 2;
  plan.add(builder, {}, {});
  EXPECT_EQ(transition_of(plan.member_ended("a", 1, key(1), kFinished), key(1))->state, State::finished);
  plan.member_ended("a", 1, key(2), kFailed);
  auto decisions = plan.job_ended("a", 1, kStart);
  const auto* start = std::get_if<StartJob>(&decisions.back());
  ASSERT_NE(start, nullptr);
  EXPECT_THAT(start->members, ElementsAre(key(2)));
  EXPECT_EQ(start->attempt, 2);
}

TEST(Plan, RefusesWhatAnOldAttemptSays) {
  Plan plan({.cpu_capacity = 1});
  auto flaky = job("a", {key(1)});
  flaky.policy.retry.max_attempts = 3;
  plan.add(flaky, {}, {});
  plan.member_ended("a", 1, key(1), kFailed);
  plan.job_ended("a", 1, kStart);
  EXPECT_THAT(plan.member_ended("a", 1, key(1), kFinished), IsEmpty());
  EXPECT_THAT(plan.job_ended("a", 1, kStart), IsEmpty());
  EXPECT_EQ(plan.running(), 1U);
}

TEST(Plan, CancelsARunningMemberAtOnceAndRefusesItsResult) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("a", {key(1)}), {}, {});
  auto decisions = plan.cancel(key(1));
  EXPECT_NE(std::get_if<StopMember>(&decisions.front()), nullptr);
  EXPECT_EQ(transition_of(decisions, key(1))->state, State::cancelled);
  EXPECT_THAT(plan.member_ended("a", 1, key(1), kFinished), IsEmpty());
  EXPECT_EQ(plan.running(), 1U);
  plan.job_ended("a", 1, kStart);
  EXPECT_EQ(plan.running(), 0U);
}

TEST(Plan, CancelsWhatWaitsAndFailsWhatWaitsForIt) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job("b", {key(2)}, {key(1)}), {key(1)}, {});
  plan.add(job("c", {key(3)}, {key(2)}), {key(2)}, {});
  auto decisions = plan.cancel(key(2));
  EXPECT_EQ(transition_of(decisions, key(2))->state, State::cancelled);
  EXPECT_EQ(transition_of(decisions, key(3))->reason, Reason::upstream_failed);
  EXPECT_THAT(plan.cancel(key(2)), IsEmpty());
}

TEST(Plan, TreatsASilentMemberAsLost) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("a", {key(1)}), {}, {});
  EXPECT_EQ(transition_of(plan.job_ended("a", 1, kStart), key(1))->reason, Reason::lost);
}

TEST(Plan, RebindsChildrenThatHaveNotStarted) {
  Plan plan({.cpu_capacity = 1});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job("child", {key(2)}, {key(1)}), {key(1)}, {});
  auto always = [](RevisionKey) { return true; };
  EXPECT_THAT(plan.rebind(key(1), key(1, 2), always), ElementsAre(key(2)));
  EXPECT_THAT(transitions(plan.cancel(key(1))), ElementsAre(std::pair(key(1), State::cancelled)));
  plan.job_ended("a", 1, kStart);
  plan.add(job("a2", {key(1, 2)}), {}, {});
  plan.job_ended("a2", 1, kStart);
  EXPECT_FALSE(plan.contains(key(2)));  // its new parent was lost
}

// Random graphs with random failures, cancels and repetitions, against what must always hold.
class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed) : random_(seed), plan_({.cpu_capacity = 3}) {}

  void live() {
    auto steps = pick(5, 40);
    for (int i = 0; i < steps; ++i) {
      add_job();
      while (chance(0.5)) something_happens();
    }
    for (int i = 0; i < 100'000 && busy(); ++i) something_happens();
    EXPECT_FALSE(busy()) << "not quiescent";
    EXPECT_EQ(plan_.running(), 0U);
    EXPECT_NEAR(plan_.cpu_used(), 0, 1e-9);
    for (const auto& [member, state] : states_) EXPECT_TRUE(is_terminal(state)) << "lost: step " << member.step;
  }

 private:
  struct Running {
    std::string job;
    int attempt;
    std::set<RevisionKey> open;
    double cpu;
  };

  int pick(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }
  bool busy() const {
    return !running_.empty() ||
           std::ranges::any_of(states_, [](const auto& item) { return !is_terminal(item.second); });
  }

  void add_job() {
    PlannedJob spec;
    spec.id = std::to_string(next_);
    for (int i = pick(1, 3); i > 0; --i) spec.members.push_back(key(next_++));
    std::set<RevisionKey> unfinished;
    std::optional<RevisionKey> failed;
    for (int i = pick(0, 3); i > 0 && !states_.empty(); --i) {
      auto parent = std::next(states_.begin(), pick(0, static_cast<int>(states_.size()) - 1));
      if (std::ranges::find(spec.parents, parent->first) != spec.parents.end()) continue;
      spec.parents.push_back(parent->first);
      if (!is_terminal(parent->second)) unfinished.insert(parent->first);
      if (is_terminal(parent->second) && parent->second != State::finished) failed = parent->first;
    }
    spec.policy.retry.max_attempts = pick(1, 3);
    spec.policy.retry.delay = std::chrono::seconds{pick(0, 2)};
    spec.policy.limits.cpu = pick(1, 5);
    for (auto member : spec.members) {
      states_[member] = State::waiting;
      parents_[member] = spec.parents;
    }
    cpu_[spec.id] = std::min(3.0, spec.policy.limits.cpu);
    see(plan_.add(std::move(spec), unfinished, failed));
  }

  void something_happens() {
    now_ += std::chrono::milliseconds{pick(0, 700)};
    auto what = pick(0, 9);
    if (what == 0) return cancel_one();
    if (what <= 2 || running_.empty()) return see(plan_.tick(now_));
    auto at = std::next(running_.begin(), pick(0, static_cast<int>(running_.size()) - 1));
    if (at->open.empty() || what == 3) return end_job(at);
    auto member = *at->open.begin();
    at->open.erase(member);
    see(plan_.member_ended(at->job, at->attempt, member, chance(0.7) ? kFinished : kFailed));
  }

  void end_job(std::vector<Running>::iterator at) {
    auto ended = *at;
    running_.erase(at);
    see(plan_.job_ended(ended.job, ended.attempt, now_));
    EXPECT_THAT(plan_.job_ended(ended.job, ended.attempt, now_), IsEmpty()) << "ended twice";
  }

  void cancel_one() {
    if (states_.empty()) return;
    auto at = std::next(states_.begin(), pick(0, static_cast<int>(states_.size()) - 1));
    auto was_terminal = is_terminal(at->second);
    auto decisions = plan_.cancel(at->first);
    EXPECT_EQ(decisions.empty(), was_terminal);
    see(decisions);
  }

  void see(const Decisions& decisions) {
    for (const auto& decision : decisions) {
      if (const auto* transition = std::get_if<Transition>(&decision)) see(*transition);
      if (const auto* start = std::get_if<StartJob>(&decision)) see(*start);
    }
  }

  void see(const Transition& transition) {
    auto& state = states_.at(transition.key);
    EXPECT_FALSE(is_terminal(state)) << "a second end of step " << transition.key.step;
    state = transition.state;
  }

  void see(const StartJob& start) {
    Running now{.job = start.job, .attempt = start.attempt, .open = {}, .cpu = cpu_.at(start.job)};
    now.open.insert(start.members.begin(), start.members.end());
    EXPECT_FALSE(now.open.empty());
    for (auto member : start.members)
      for (auto parent : parents_.at(member))
        EXPECT_EQ(states_.at(parent), State::finished) << "started before its parent " << parent.step;
    running_.push_back(std::move(now));
    double used = 0;
    for (const auto& running : running_) used += running.cpu;
    EXPECT_LE(used, 3 + 1e-9);
  }

  std::mt19937 random_;
  Plan plan_;
  SteadyTime now_ = kStart;
  catalog::StepId next_ = 0;
  std::map<RevisionKey, State> states_;
  std::map<RevisionKey, std::vector<RevisionKey>> parents_;
  std::map<std::string, double> cpu_;
  std::vector<Running> running_;
};

TEST(Plan, HoldsItsPromisesInRandomWorlds) {
  constexpr unsigned kWorlds = 2000;
  auto first = std::random_device{}();
  for (unsigned seed = first; seed != first + kWorlds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorld(seed).live();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace lo::engine
