#include "engine/conductor_fixture.h"

namespace lo::engine {
namespace {

using catalog::FakeCatalog;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(ConductorTest, RunsAStepAndRecordsItsResult) {
  ASSERT_TRUE(submit({"a"}, {}, {{"code", "x"}}));
  auto job = life->runner.wait_for_job(0);
  EXPECT_EQ(job.members.front().request.at("code"), "x");
  life->runner.end(job, finished({{"kind", "object"}}));
  auto revision = newest("a");
  EXPECT_EQ(revision.state, State::finished);
  EXPECT_EQ(revision.result.at("kind"), "object");
  auto attempts = life->catalog.attempts(revision.key.step);
  ASSERT_EQ(attempts->size(), 1U);
  EXPECT_EQ(attempts->front().state, State::finished);
  EXPECT_TRUE(attempts->front().ended.has_value());
  EXPECT_EQ(settled, 1);
}

TEST_F(ConductorTest, GivesAChildItsParentsResult) {
  submit({"a"});
  submit({"b"}, {"a"});
  auto parent = life->runner.wait_for_job(0);
  life->runner.end(parent, finished({{"kind", "object"}, {"of", "a"}}));
  auto child = life->runner.wait_for_job(1);
  ASSERT_EQ(child.inputs.size(), 1U);
  EXPECT_EQ(child.inputs.front().name, "a");
  EXPECT_EQ(child.inputs.front().manifest.at("of"), "a");
}

TEST_F(ConductorTest, LetsOneOfManySimultaneousPostsOfANameWin) {
  std::vector<std::promise<Result<std::vector<Accepted>>>> answers(50);
  for (auto& answer : answers) {
    Submission submission;
    submission.steps.push_back({.name = "same", .service = "function/python", .request = {}, .labels = {}});
    life->conductor->submit(std::move(submission),
                            [&answer](Result<std::vector<Accepted>> result) { answer.set_value(std::move(result)); });
  }
  int won = 0;
  for (auto& answer : answers) {
    auto result = answer.get_future().get();
    if (!result) {
      EXPECT_EQ(result.error().code, Code::conflict);
    }
    won += result.has_value();
  }
  EXPECT_EQ(won, 1);
}

TEST_F(ConductorTest, AcceptsAGroupWhollyOrNotAtAll) {
  submit({"b"});
  EXPECT_EQ(submit({"a", "b", "c"}).error().code, Code::conflict);
  EXPECT_TRUE(submit({"a", "c"}));
}

TEST_F(ConductorTest, TellsWhatItWouldRefuseAndChangesNothing) {
  submit({"a"});
  std::vector<Conductor::Question> questions{{.request = {}, .mentions = {{.text = "a", .pointer = "/x"}}},
                                             {.request = {}, .mentions = {{.text = "b", .pointer = "/functionParameters/x"}}},
                                             {.request = {{"resources", {{"gpu", 1000}}}}, .mentions = {}}};
  auto answers = wait<std::vector<Status>>([&](auto done) { life->conductor->check(std::move(questions), std::move(done)); });
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_TRUE(answers[0]);
  EXPECT_EQ(answers[1].error().fields.front().pointer, "/functionParameters/x");
  EXPECT_EQ(answers[2].error().fields.front().pointer, "/resources/gpu");
  EXPECT_FALSE(*life->catalog.find_step("b"));
}

TEST_F(ConductorTest, AnswersWithTheErrorAndForgetsAStepThatCouldNotBeSaved) {
  life->catalog.fail_next({.code = Code::no_space, .message = "disk full"});
  EXPECT_EQ(submit({"a"}).error().code, Code::no_space);
  EXPECT_TRUE(submit({"a"}));
}

TEST_F(ConductorTest, TakesAnInputThatHasFailedOnlyWhereItIsAskedTo) {
  submit({"a"});
  life->runner.end(life->runner.wait_for_job(0), failed("ValueError: boom"));
  EXPECT_EQ(newest("a").state, State::failed);
  EXPECT_FALSE(submit({"b"}, {"a"}));
  Submission submission{.steps = {{.name = "b", .service = "function/python", .request = {}, .labels = {}}},
                        .mentions = {{.text = "a", .pointer = "/x", .despite_failure = true}}};
  ASSERT_TRUE(wait<Result<std::vector<Accepted>>>([&](auto done) { life->conductor->submit(std::move(submission), std::move(done)); }));
  EXPECT_EQ(newest("b").reason, Reason::upstream_failed);
}

TEST_F(ConductorTest, FailsChildrenOfAFailureNamingTheInput) {
  submit({"a"});
  submit({"b"}, {"a"});
  life->runner.end(life->runner.wait_for_job(0), failed("ValueError: boom"));
  EXPECT_EQ(newest("a").exception, "ValueError: boom");
  auto child = newest("b");
  EXPECT_EQ(child.reason, Reason::upstream_failed);
  EXPECT_THAT(child.exception, HasSubstr("\"a\""));
}

TEST_F(ConductorTest, CancelsARunningStepForGoodAndRefusesItsResult) {
  submit({"a"});
  auto job = life->runner.wait_for_job(0);
  EXPECT_TRUE(cancel("a"));
  EXPECT_TRUE(cancel("a"));
  life->runner.wait_for_stop(0);
  life->runner.end(job, finished({{"kind", "object"}}));
  auto revision = newest("a");
  EXPECT_EQ(revision.state, State::cancelled);
  EXPECT_TRUE(revision.result.empty());
  EXPECT_EQ(life->catalog.attempts(revision.key.step)->front().state, State::cancelled);
  EXPECT_EQ(settled, 1) << "what was refused is handed on to be removed";
}

TEST_F(ConductorTest, CannotCancelWhatHasEnded) {
  submit({"a"});
  life->runner.end(life->runner.wait_for_job(0), finished());
  settle_down();
  EXPECT_EQ(cancel("a").error().code, Code::conflict);
  EXPECT_EQ(cancel("nobody").error().code, Code::not_found);
}

TEST_F(ConductorTest, EndsOneMemberOfAGroupByItself) {
  submit({"LR", "NB"});
  auto job = life->runner.wait_for_job(0);
  ASSERT_EQ(job.members.size(), 2U);
  life->runner.end_member(job.token, job.members[0].key, finished());
  EXPECT_EQ(newest("LR").state, State::finished);
  EXPECT_EQ(newest("NB").state, State::running);
  cancel("NB");
  EXPECT_EQ(life->runner.wait_for_stop(0).member, job.members[1].key);
}

TEST_F(ConductorTest, TakesUpAfterAKillWhatHadNotEndedAndCountsTheLoss) {
  submit({"a"});
  submit({"b"}, {"a"});
  life->runner.wait_for_job(0);
  settle_down();
  kill_and_restart();
  auto again = life->runner.wait_for_job(0);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(newest("a").lost, 1);
  life->runner.end(again, finished());
  life->runner.end(life->runner.wait_for_job(1), finished());
  EXPECT_EQ(newest("b").state, State::finished);
}

TEST_F(ConductorTest, GivesUpAStepThatTookTheServerWithItFourTimes) {
  submit({"poison"});
  for (int i = 0; i < 4; ++i) {
    life->runner.wait_for_job(0);
    settle_down();
    kill_and_restart();
  }
  auto revision = newest("poison");
  EXPECT_EQ(revision.state, State::failed);
  EXPECT_EQ(revision.reason, Reason::lost);
  EXPECT_THAT(revision.exception, HasSubstr("4 times"));
  EXPECT_EQ(life->runner.started(), 0U);
}

TEST_F(ConductorTest, HandsRunningStepsBackAtAnOrderlyEndWithoutCountingALoss) {
  submit({"a"});
  auto job = life->runner.wait_for_job(0);
  std::promise<void> ended;
  life->conductor->shutdown([&] { ended.set_value(); });
  ended.get_future().wait();
  EXPECT_EQ(newest("a").state, State::queued);
  EXPECT_EQ(submit({"b"}).error().code, Code::unavailable);
  kill_and_restart();
  life->runner.wait_for_job(0);
  EXPECT_EQ(newest("a").lost, 0);
}

TEST_F(ConductorTest, ReplacesARunningRevisionAndRebindsWhoWaitsForIt) {
  submit({"a"});
  submit({"b"}, {"a"});
  auto old = life->runner.wait_for_job(0);
  EXPECT_EQ(revise("a", Revise::Kind::replace)->key.revision, 2);
  life->runner.wait_for_stop(0);
  life->runner.end(old, finished({{"kind", "old"}}));
  auto replacement = life->runner.wait_for_job(1);
  life->runner.end(replacement, finished({{"kind", "new"}}));
  auto child = life->runner.wait_for_job(2);
  EXPECT_EQ(child.inputs.front().manifest.at("kind"), "new");
  EXPECT_EQ(newest("b").parents.front().key.revision, 2);
}

TEST_F(ConductorTest, AmendsADatasetThatIsStillBeingMade) {
  submit({"data"});
  ASSERT_TRUE(revise("data", Revise::Kind::amend, "transform/dataType"));
  submit({"model"}, {"data"});
  life->runner.end(life->runner.wait_for_job(0), finished({{"kind", "raw"}}));
  auto typing = life->runner.wait_for_job(1);
  EXPECT_EQ(typing.members.front().operation, "transform/dataType");
  EXPECT_EQ(typing.inputs.front().manifest.at("kind"), "raw");
  life->runner.end(typing, finished({{"kind", "typed"}}));
  EXPECT_EQ(life->runner.wait_for_job(2).inputs.front().manifest.at("kind"), "typed");
}

TEST_F(ConductorTest, TriesFailedChildrenAgainWhenTheirInputIsMadeAnew) {
  submit({"a"});
  submit({"b"}, {"a"});
  submit({"c"}, {"b"});
  life->runner.end(life->runner.wait_for_job(0), failed("boom"));
  EXPECT_EQ(newest("c").reason, Reason::upstream_failed);
  ASSERT_TRUE(revise("a", Revise::Kind::replace));
  for (std::size_t i = 1; i <= 3; ++i) life->runner.end(life->runner.wait_for_job(i), finished());
  EXPECT_EQ(newest("c").state, State::finished);
  EXPECT_EQ(newest("c").key.revision, 2);
}

TEST_F(ConductorTest, RunsEverythingBelowAgainInOrderWhenAsked) {
  submit({"a"});
  submit({"c"}, {"a"});
  submit({"b"}, {"a", "c"});
  for (std::size_t i = 0; i < 3; ++i) life->runner.end(life->runner.wait_for_job(i), finished({{"kind", "object"}}));
  settle_down();
  Revise change{.name = "a", .kind = Revise::Kind::replace, .operation = "function/python", .request = {}, .mentions = {}, .cascade = true};
  ASSERT_TRUE(wait<Result<Accepted>>([&](auto done) { life->conductor->revise(std::move(change), std::move(done)); }));
  for (const auto* name : {"a", "c", "b"}) {  // each after the one before it, whose new result it gets
    auto job = life->runner.wait_for_job(life->runner.started() - 1);
    while (job.members.front().name != name) job = life->runner.wait_for_job(life->runner.started());
    for (const auto& input : job.inputs) EXPECT_EQ(input.key.revision, 2) << name;
    life->runner.end(job, finished({{"kind", "object"}, {"typeName", "other"}}));
    settle_down();
  }
  for (const auto* name : {"a", "b", "c"}) {
    EXPECT_EQ(newest(name).key.revision, 2) << name;
    EXPECT_EQ(newest(name).state, State::finished) << name;
  }
}

TEST_F(ConductorTest, TellsTheRunnerWhatWillNotBeTriedAgain) {
  auto a = submit({"a"})->front().key;
  auto b = submit({"b"})->front().key;
  life->runner.end(life->runner.wait_for_job(0), finished({{"kind", "object"}}));
  settle_down();
  EXPECT_EQ(life->runner.forgotten(), std::set{a});
  kill_and_restart();
  EXPECT_EQ(life->runner.kept(), std::set{b});
}

TEST_F(ConductorTest, RefusesACycle) {
  submit({"a"});
  submit({"b"}, {"a"});
  auto cycle = revise("a", Revise::Kind::replace, "function/python", {{.text = "b", .pointer = "/functionParameters/x"}});
  EXPECT_EQ(cycle.error().code, Code::unacceptable);
  auto itself = revise("a", Revise::Kind::replace, "function/python", {{.text = "a", .pointer = "/functionParameters/x"}});
  EXPECT_EQ(itself.error().code, Code::unacceptable);
}

TEST_F(ConductorTest, RerunsOnlyWhatHasEnded) {
  submit({"a"});
  auto job = life->runner.wait_for_job(0);
  EXPECT_EQ(revise("a", Revise::Kind::rerun).error().code, Code::conflict);
  life->runner.end(job, finished());
  settle_down();
  EXPECT_TRUE(revise("a", Revise::Kind::rerun));
}

TEST_F(ConductorTest, DeletesOnlyWhatIsIdleAndUnusedUnlessTold) {
  submit({"a"});
  submit({"b"}, {"a"});
  EXPECT_THAT(remove("a").error().message, HasSubstr("used by \"b\""));
  EXPECT_THAT(remove("b").error().message, HasSubstr("has not ended"));
  auto removed = remove("a", true);
  ASSERT_TRUE(removed);
  EXPECT_THAT(removed->steps, testing::SizeIs(2));
  life->runner.wait_for_stop(0);
  EXPECT_TRUE(submit({"a"})) << "the name is free at once";
}

TEST_F(ConductorTest, RetriesAsAsked) {
  submit({"a"}, {}, {{"retry", {{"maxAttempts", 2}, {"delay", 0.001}}}});
  life->runner.end(life->runner.wait_for_job(0), failed("first"));
  auto second = life->runner.wait_for_job(1);
  EXPECT_EQ(second.attempt, 2);
  life->runner.end(second, finished());
  EXPECT_EQ(newest("a").state, State::finished);
  auto attempts = life->catalog.attempts(newest("a").key.step);
  ASSERT_EQ(attempts->size(), 2U);
  EXPECT_EQ(attempts->front().exception, "first");
}

TEST_F(ConductorTest, GoesOnWithAPauseBetweenAttemptsAfterAKill) {
  submit({"a"}, {}, {{"retry", {{"maxAttempts", 2}, {"delay", 3600}}}});
  life->runner.end(life->runner.wait_for_job(0), failed("first"));
  settle_down();
  kill_and_restart();
  settle_down();
  EXPECT_EQ(life->runner.started(), 0U);
  auto standing = wait<std::optional<Standing>>([&](auto done) { life->conductor->standing("a", std::move(done)); });
  EXPECT_GT(standing->retry_in, 3000);
  EXPECT_LE(standing->retry_in, 4500);
  ASSERT_TRUE(cancel("a"));
  EXPECT_EQ(newest("a").state, State::cancelled);
}

TEST_F(ConductorTest, RefusesWhatItNeverHas) {
  auto refused = submit({"a"}, {}, {{"resources", {{"gpu", 1}}}});
  EXPECT_THAT(refused.error().message, HasSubstr("resources/gpu is 1, but this server has 0"));
  ASSERT_TRUE(submit({"a"}));
}

TEST_F(ConductorTest, TellsWhyAStepWaits) {
  submit({"a"});
  submit({"b"}, {"a"});
  auto standing =
      wait<std::optional<Standing>>([&](auto done) { life->conductor->standing("b", std::move(done)); });
  EXPECT_THAT(standing->waits_for, ElementsAre("a"));
}

// The disk is slow: what was saved late is the start of the parent, after its end was decided and before that is saved.
TEST(ConductorOnASlowDisk, GivesAChildItsParentsResultBeforeItIsSaved) {
  IoThreads threads(2);
  FakeCatalog catalog(FakeCatalog::Mode::manual);
  FakeRunner runner;
  BlockingPool pool(1);
  ConductorPorts ports{.executor = threads.executor(),
                       .clock = std::make_shared<SystemClock>(),
                       .catalog = &catalog,
                       .runner = &runner,
                       .pool = &pool,
                       .settle = [](json::object) {}};
  auto conductor = Conductor::make(std::move(ports), {.cpu_capacity = 1});
  auto submit = [&](std::string name, std::vector<Mention> mentions) {
    Submission submission{.steps = {{.name = std::move(name), .service = "function/python", .request = {}, .labels = {}}},
                          .mentions = std::move(mentions)};
    conductor->submit(std::move(submission), [](auto) {});
  };
  auto all_decided = [&] {  // everything handed to the strand so far
    std::promise<void> promise;
    conductor->load([&](auto) { promise.set_value(); });
    promise.get_future().wait();
  };
  submit("a", {});
  submit("b", {{.text = "a", .pointer = ""}});
  all_decided();
  catalog.flush(2);  // both are accepted
  auto parent = runner.wait_for_job(0);
  runner.end_member(parent.token, parent.members.front().key, finished({{"kind", "object"}, {"of", "a"}}));
  all_decided();
  catalog.flush(1);  // the start of "a"
  all_decided();
  runner.end_job(parent.token);
  EXPECT_EQ(runner.wait_for_job(1).inputs.front().manifest.at("of"), "a");
  threads.stop();
}

TEST_F(ConductorTest, CommitsAReceiptWithWhatItIsForOrNotAtAll) {
  catalog::Receipt receipt{.key = "k", .request = "digest", .answer = {{"status", 201}}, .created = from_micros(1)};
  auto submit_with = [&](std::string key) {
    Submission submission;
    submission.steps.push_back({.name = "a", .service = "function/python", .request = {}, .labels = {}});
    submission.receipt = receipt;
    submission.receipt->key = std::move(key);
    return wait<Result<std::vector<Accepted>>>(
        [&](auto done) { life->conductor->submit(std::move(submission), std::move(done)); });
  };
  ASSERT_TRUE(submit_with("k"));
  EXPECT_EQ(submit_with("taken").error().code, Code::conflict);
  auto again = engine::again(newest("a"));
  again.kind = Revise::Kind::replace;
  again.receipt = receipt;
  again.receipt->key = "revised";
  ASSERT_TRUE(wait<Result<Accepted>>([&](auto done) { life->conductor->revise(std::move(again), std::move(done)); }));
  EXPECT_EQ(life->catalog.find_receipt("k").value(), receipt);
  EXPECT_TRUE(life->catalog.find_receipt("revised").value());
  EXPECT_FALSE(life->catalog.find_receipt("taken").value());
}

TEST_F(ConductorTest, ChangesOnlyTheVersionThatIsMeant) {
  submit({"a"});
  life->runner.end(life->runner.wait_for_job(0), finished());
  auto step = newest("a").key.step;
  OnlyIf seen = std::vector<Version>{{.step = step, .revision = 1, .state = State::finished}};
  auto revise_if = [&](const OnlyIf& only_if) {
    auto again = engine::again(newest("a"));
    again.only_if = only_if;
    return wait<Result<Accepted>>([&](auto done) { life->conductor->revise(std::move(again), std::move(done)); });
  };
  auto cancel_if = [&](const OnlyIf& only_if) {
    return wait<Status>([&](auto done) { life->conductor->cancel("a", std::move(done), only_if); });
  };
  auto remove_if = [&](const OnlyIf& only_if) {
    return wait<Result<Removed>>(
        [&](auto done) { life->conductor->remove("a", "function/python", true, std::move(done), only_if); });
  };
  EXPECT_EQ(revise_if(std::vector<Version>{}).error().code, Code::precondition);
  ASSERT_TRUE(revise_if(seen));
  auto refused = revise_if(seen);
  EXPECT_EQ(refused.error().code, Code::precondition);
  EXPECT_THAT(refused.error().message, HasSubstr("revision 2"));
  EXPECT_EQ(cancel_if(seen).error().code, Code::precondition);
  EXPECT_EQ(remove_if(seen).error().code, Code::precondition);
  life->runner.wait_for_job(1);
  seen->push_back({.step = step, .revision = 2, .state = State::running});
  EXPECT_TRUE(cancel_if(seen));
  EXPECT_TRUE(remove_if(std::nullopt));
}

TEST_F(ConductorTest, KnowsAfterARestartWhenRevisionsEnded) {
  submit({"a"});
  life->runner.end(life->runner.wait_for_job(0), finished());
  settle_down();
  ASSERT_TRUE(revise("a", Revise::Kind::rerun));
  life->runner.end(life->runner.wait_for_job(1), finished());
  auto ended = life->catalog.revision({newest("a").key.step, 1}).value()->ended.value();
  kill_and_restart();
  auto retire = [&](WallTime since) {
    return wait<Result<std::vector<Retired>>>(
        [&](auto done) { life->conductor->retire({.ended_since = since}, true, std::move(done)); }).value().size();
  };
  EXPECT_EQ(retire(ended), 0U);
  EXPECT_EQ(retire(ended + std::chrono::microseconds(1)), 1U);
}

TEST_F(ConductorTest, RetiresSupersededRevisionsAndBindsNoLongerToThem) {
  submit({"a"});
  life->runner.end(life->runner.wait_for_job(0), finished());
  for (std::size_t run = 1; run < 3; ++run) {
    settle_down();
    ASSERT_TRUE(revise("a", Revise::Kind::rerun));
    life->runner.end(life->runner.wait_for_job(run), finished());
  }
  settle_down();
  auto try_to_retire = [&](bool dry_run) {
    return wait<Result<std::vector<Retired>>>(
        [&](auto done) { life->conductor->retire({.revisions = 1}, dry_run, std::move(done)); });
  };
  auto retire = [&](bool dry_run) {
    std::vector<int> numbers;
    auto retired = try_to_retire(dry_run).value();
    for (const auto& one : retired) numbers.push_back(one.name == "a" ? one.key.revision : 0);
    return numbers;
  };
  auto step = newest("a").key.step;
  EXPECT_THAT(retire(true), ElementsAre(1, 2));
  EXPECT_EQ(life->catalog.revisions(step)->size(), 3U);
  submit({"b"}, {"a@2"});
  life->catalog.fail_next({.code = Code::io, .message = "no disk"});
  EXPECT_EQ(try_to_retire(false).error().code, Code::io);
  EXPECT_THAT(retire(false), ElementsAre(1));
  EXPECT_THAT(submit({"c"}, {"a@1"}).error().message, HasSubstr("has no revision 1"));
  EXPECT_THAT(retire(false), testing::IsEmpty());
  kill_and_restart();
  EXPECT_EQ(life->catalog.revisions(step)->size(), 2U);
  EXPECT_TRUE(submit({"c"}, {"a@2"}));
}

}  // namespace
}  // namespace lo::engine
