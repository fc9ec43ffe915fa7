#include "engine/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lo::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr SteadyTime kStart{std::chrono::seconds{1000}};
constexpr WallTime kWall{std::chrono::seconds{1'700'000'000}};

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
  EXPECT_THAT(started(plan.tick(kStart + std::chrono::seconds{5}, kWall)), ElementsAre("a"));
}

PlannedJob job_due(std::string id, RevisionKey member, std::chrono::seconds in, std::vector<RevisionKey> parents = {}) {
  auto out = job(std::move(id), {member}, std::move(parents));
  out.due = kWall + in;
  return out;
}

TEST(Plan, HoldsAScheduledJobUntilItsTime) {
  Plan plan({.cpu_capacity = 1});
  EXPECT_THAT(transitions(plan.add(job_due("a", key(1), std::chrono::seconds{5}), {}, {})), ElementsAre(std::pair(key(1), State::scheduled)));
  EXPECT_EQ(plan.why(key(1)).due, kWall + std::chrono::seconds{5});
  EXPECT_EQ(plan.next_due(), kWall + std::chrono::seconds{5});
  EXPECT_THAT(plan.tick(kStart, kWall + std::chrono::seconds{4}), IsEmpty());
  EXPECT_THAT(started(plan.tick(kStart, kWall + std::chrono::seconds{5})), ElementsAre("a"));
  EXPECT_EQ(plan.next_due(), std::nullopt);
}

TEST(Plan, AScheduledJobWaitsForItsParentsToo) {
  Plan plan({.cpu_capacity = 2});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job_due("b", key(2), std::chrono::seconds{5}, {key(1)}), {key(1)}, {});
  plan.add(job_due("c", key(3), std::chrono::seconds{5}, {key(1)}), {key(1)}, {});
  EXPECT_THAT(transitions(plan.cancel(key(3))), ElementsAre(std::pair(key(3), State::cancelled)));
  EXPECT_THAT(transitions(plan.tick(kStart, kWall + std::chrono::seconds{9})), ElementsAre(std::pair(key(2), State::waiting)));
  EXPECT_THAT(started(plan.member_ended("a", 1, key(1), kFinished)), ElementsAre("b"));
}

TEST(Plan, AScheduledJobFailsAtOnceWithItsParent) {
  Plan plan({.cpu_capacity = 2});
  plan.add(job("a", {key(1)}), {}, {});
  plan.add(job_due("b", key(2), std::chrono::seconds{5}, {key(1)}), {key(1)}, {});
  plan.member_ended("a", 1, key(1), kFailed);
  EXPECT_FALSE(plan.contains(key(2)));
  EXPECT_EQ(plan.next_due(), std::nullopt);
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
  EXPECT_THAT(plan.tick(kStart + std::chrono::seconds{2}, kWall), IsEmpty());
  EXPECT_THAT(started(plan.tick(kStart + std::chrono::seconds{4}, kWall)), ElementsAre("a"));
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

}  // namespace
}  // namespace lo::engine
