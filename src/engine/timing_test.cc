// Schedules and automatic updates, as the conductor carries them out.
#include "engine/conductor_fixture.h"
#include "engine/schedule.h"

namespace lo::engine {
namespace {

using testing::ElementsAre;

class TimingTest : public ConductorTest {
 protected:
  TimingTest() {
    clock = hands;
    kill_and_restart();
  }

  void pass(Duration by) {
    hands->advance(by);
    life->conductor->wake();
    settle_down();
  }

  json::object hourly(std::string_view misfire = "once") { return {{"schedule", {{"cron", "0 * * * *"}, {"misfire", misfire}}}}; }

  // To the next full hour.
  WallTime next_hour() const { return std::chrono::ceil<std::chrono::hours>(hands->now() + std::chrono::seconds{1}); }
  void pass_until(WallTime time) { pass(time - hands->now()); }

  // The n-th job, which ends well.
  JobRequest run(std::size_t n, json::object facts = {}) {
    auto job = life->runner.wait_for_job(n);
    auto outcome = finished({{"kind", "object"}, {"typeName", string_or(facts, kResultDigest)}});
    outcome.facts = std::move(facts);
    life->runner.end(job, outcome);
    settle_down();
    return job;
  }

  std::optional<Standing> standing(const std::string& name) {
    return wait<std::optional<Standing>>([&](auto done) { life->conductor->standing(name, std::move(done)); });
  }

  Result<Accepted> rerun(const std::string& name) {
    return wait<Result<Accepted>>([&](auto done) { life->conductor->rerun(name, false, std::move(done)); });
  }

  Status backfill(std::vector<std::string> names, WallTime time) {
    return wait<Status>([&](auto done) { life->conductor->backfill(std::move(names), time, std::move(done)); });
  }

  std::shared_ptr<TestClock> hands = std::make_shared<TestClock>();
};

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(TimingTest, AScheduledStepRunsAtItsTime) {
  auto due = hands->now() + minutes{10};
  ASSERT_TRUE(submit({"a"}, {}, {{"schedule", {{"at", format_time(due)}}}}));
  EXPECT_EQ(newest("a").state, State::scheduled);
  EXPECT_EQ(standing("a")->due, due);
  pass(minutes{9});
  EXPECT_EQ(life->runner.started(), 0U);
  kill_and_restart();
  EXPECT_EQ(newest("a").state, State::scheduled);
  pass(minutes{2});
  EXPECT_EQ(run(0).clock, due);
  EXPECT_EQ(newest("a").state, State::finished);
  EXPECT_EQ(scheduled_for(newest("a").facts), due);
}

TEST_F(TimingTest, ATimeThatIsOverIsNow) {
  auto due = hands->now() - hours{1};
  ASSERT_TRUE(submit({"a"}, {}, {{"schedule", {{"at", format_time(due)}}}}));
  EXPECT_EQ(run(0).clock, due);
}

TEST_F(TimingTest, AStepWithoutAScheduleHasTheTimeOfItsAcceptance) {
  ASSERT_TRUE(submit({"a"}));
  auto accepted = hands->now();
  EXPECT_EQ(run(0).clock, accepted);
}

TEST_F(TimingTest, CancelsAScheduledStep) {
  ASSERT_TRUE(submit({"a"}, {}, {{"schedule", {{"at", format_time(hands->now() + minutes{1})}}}}));
  EXPECT_TRUE(cancel("a"));
  pass(minutes{2});
  EXPECT_EQ(newest("a").state, State::cancelled);
  EXPECT_EQ(life->runner.started(), 0U);
}

TEST_F(TimingTest, ACronStepRunsAgainAndAgain) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  auto first = next_hour();
  EXPECT_EQ(newest("a").state, State::scheduled);
  pass_until(first);
  EXPECT_EQ(run(0).clock, first);
  EXPECT_EQ(newest("a").state, State::finished);
  EXPECT_EQ(standing("a")->next_run, first + hours{1});
  pass_until(first + hours{1});
  EXPECT_EQ(run(1).clock, first + hours{1});
  EXPECT_EQ(newest("a").key.revision, 2);
}

TEST_F(TimingTest, ABackfillIsMadeForItsTimeAndTheScheduleGoesOnFromNow) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  ASSERT_TRUE(submit({"b"}, {"a"}));
  auto first = next_hour();
  auto past = first - hours{48};
  ASSERT_TRUE(backfill({"a", "b"}, past));  // instead of what is scheduled and waits
  EXPECT_EQ(run(0).clock, past);
  EXPECT_EQ(run(1).clock, past);
  EXPECT_EQ(newest("b").state, State::finished);
  EXPECT_EQ(scheduled_for(newest("b").facts), past);
  EXPECT_EQ(standing("a")->next_run, first);
  kill_and_restart();
  EXPECT_EQ(standing("a")->next_run, first);
  pass_until(first);
  EXPECT_EQ(run(0).clock, first);
  EXPECT_EQ(scheduled_for(newest("a").facts), first);
}

TEST_F(TimingTest, ABackfillOfWhatRunsChangesNothing) {
  ASSERT_TRUE(submit({"a"}));
  ASSERT_TRUE(submit({"b"}));
  run(0);
  life->runner.wait_for_job(1);
  auto refused = backfill({"a", "b"}, hands->now() - hours{1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("\"b\""));
  EXPECT_EQ(newest("a").key.revision, 1);
  EXPECT_EQ(backfill({"a", "none"}, hands->now()).error().code, Code::not_found);
  EXPECT_EQ(newest("a").key.revision, 1);
}

TEST_F(TimingTest, ACronScheduleSurvivesAKill) {
  ASSERT_TRUE(submit({"once"}, {}, hourly()));
  ASSERT_TRUE(submit({"skip"}, {}, hourly("skip")));
  auto first = next_hour();
  pass_until(first);
  run(0);
  run(1);
  kill_and_restart();
  EXPECT_EQ(standing("once")->next_run, first + hours{1});
  life.reset();
  hands->advance(hours{5} + minutes{10});  // while no server is there
  start();
  settle_down();
  EXPECT_EQ(life->runner.started(), 1U);
  auto job = run(0);
  EXPECT_EQ(job.members.front().name, "once");
  EXPECT_EQ(job.clock, first + hours{5});
  EXPECT_EQ(standing("skip")->next_run, first + hours{6});
}

TEST_F(TimingTest, AFirstRunThatWasMissedIsForTheLastTimeMissed) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  auto first = next_hour();
  life.reset();
  hands->advance(first + hours{3} + minutes{1} - hands->now());
  start();
  EXPECT_EQ(run(0).clock, first + hours{3});
  pass(minutes{1});
  EXPECT_EQ(life->runner.started(), 1U);
}

TEST_F(TimingTest, ABusyStepRunsLaterForTheLastTime) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  auto first = next_hour();
  pass_until(first);
  auto job = life->runner.wait_for_job(0);
  pass(hours{3} + minutes{30});
  EXPECT_EQ(life->runner.started(), 1U);
  life->runner.end(job, finished());
  EXPECT_EQ(run(1).clock, first + hours{3});
}

TEST_F(TimingTest, CancelEndsASchedule) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  auto first = next_hour();
  pass_until(first);
  run(0);
  EXPECT_TRUE(cancel("a"));
  EXPECT_EQ(newest("a").state, State::cancelled);
  EXPECT_EQ(standing("a")->next_run, std::nullopt);
  EXPECT_TRUE(cancel("a"));
  kill_and_restart();
  pass(hours{2});
  EXPECT_EQ(life->runner.started(), 0U);
  ASSERT_TRUE(rerun("a"));  // and to run it again begins it anew
  run(0);
  EXPECT_TRUE(standing("a")->next_run);
}

TEST_F(TimingTest, AChangedRequestChangesTheSchedule) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  ASSERT_TRUE(revise("a", Revise::Kind::replace));
  run(0);
  EXPECT_EQ(standing("a")->next_run, std::nullopt);
  pass(hours{2});
  EXPECT_EQ(life->runner.started(), 1U);
}

TEST_F(TimingTest, WhatWasTypedInPlaceIsTypedAgain) {
  ASSERT_TRUE(submit({"a"}, {}, hourly()));
  ASSERT_TRUE(revise("a", Revise::Kind::amend, "transform/dataType"));
  auto first = next_hour();
  pass_until(first);
  run(0);
  run(1);
  pass_until(first + hours{1});
  auto again = run(2);
  EXPECT_EQ(again.members.front().operation, "function/python");
  EXPECT_EQ(again.clock, first + hours{1});
  auto typed = run(3);
  EXPECT_EQ(typed.members.front().operation, "transform/dataType");
  EXPECT_EQ(typed.inputs.front().key, again.members.front().key);
}

TEST_F(TimingTest, UpdatesWhatAsksForIt) {
  ASSERT_TRUE(submit({"data"}, {}, hourly()));
  ASSERT_TRUE(submit({"updated"}, {"data"}, {{"autoUpdate", true}}));
  ASSERT_TRUE(submit({"left"}, {"data"}));
  auto first = next_hour();
  pass_until(first);
  run(0, {{kResultDigest, "x"}});
  run(1);
  run(2);
  pass_until(first + hours{1});
  run(3, {{kResultDigest, "y"}});
  auto update = run(4);
  EXPECT_EQ(update.members.front().name, "updated");
  EXPECT_EQ(update.clock, first + hours{1});  // that of its input
  pass_until(first + hours{2});
  run(5, {{kResultDigest, "y"}});  // the same again
  EXPECT_EQ(life->runner.started(), 6U);
  EXPECT_EQ(newest("left").key.revision, 1);
  EXPECT_TRUE(standing("left")->stale);
}

TEST_F(TimingTest, AnUpdateThatAKillPreventedComesAfterTheStart) {
  ASSERT_TRUE(submit({"data"}));
  run(0, {{kResultDigest, "x"}});
  ASSERT_TRUE(submit({"updated"}, {"data"}, {{"autoUpdate", true}}));
  auto busy = life->runner.wait_for_job(1);
  ASSERT_TRUE(rerun("data"));
  run(2, {{kResultDigest, "y"}});
  life->runner.end(busy, finished());
  life->runner.wait_for_job(3);
  kill_and_restart();
  EXPECT_EQ(life->runner.wait_for_job(0).members.front().key.revision, 2);
}

}  // namespace
}  // namespace lo::engine
