// What a commit does and refuses: see catalog_suite.h.
#pragma once

#include <algorithm>
#include <set>

#include "catalog/catalog_fixture.h"

namespace lo::catalog {

template <class Subject>
class CatalogCommitSuite : public CatalogFixture<Subject> {};

TYPED_TEST_SUITE_P(CatalogCommitSuite);

TYPED_TEST_P(CatalogCommitSuite, StepComesBackAsItWas) {
  auto step = make_step(this->catalog().next_step_id(), "titanic");
  step.labels = {{"team", "blue"}, {"stage", 3}};
  ASSERT_TRUE(commit(this->catalog(), {AddStep{step}}));
  auto found = this->catalog().find_step("titanic").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, step);
  EXPECT_FALSE(this->catalog().find_step("Titanic").value());
}

TYPED_TEST_P(CatalogCommitSuite, RevisionComesBackAsItWas) {
  auto key = this->add("titanic");
  auto revision = make_full_revision({key.step, 2}, "titanic");
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{revision}}));
  this->subject_.reopen();
  EXPECT_EQ(this->catalog().revision({key.step, 2}).value(), revision);
  EXPECT_EQ(this->catalog().revision({key.step, 3}).value(), std::nullopt);
  EXPECT_EQ(this->catalog().revisions(key.step).value().size(), 2U);
}

TYPED_TEST_P(CatalogCommitSuite, AttemptsComeBackByRevisionThenNumber) {
  auto key = this->add("train");
  auto second = make_attempt(key, 2);
  auto first = make_attempt(key, 1);
  first.message = std::string("line\0\xff\n", 7);
  ASSERT_TRUE(commit(this->catalog(), {PutAttempt{second}, PutAttempt{first}}));
  second.state = State::failed;
  second.reason = Reason::out_of_memory;
  second.ended = second.started + std::chrono::seconds(5);
  ASSERT_TRUE(commit(this->catalog(), {PutAttempt{second}}));
  EXPECT_THAT(this->catalog().attempts(key.step).value(), ElementsAre(first, second));
}

TYPED_TEST_P(CatalogCommitSuite, SubscriptionIsReplacedAndRemoved) {
  Subscription old{.name = "b", .created = from_micros(1), .options = {}};
  Subscription fresh{.name = "b", .created = from_micros(2), .options = {{"webhook", "https://example.org"}}};
  Subscription other{.name = "a", .created = from_micros(3), .options = {}};
  ASSERT_TRUE(commit(this->catalog(), {PutSubscription{old}, PutSubscription{other}, PutSubscription{fresh}}));
  EXPECT_THAT(this->catalog().subscriptions().value(), ElementsAre(other, fresh));
  ASSERT_TRUE(commit(this->catalog(), {RemoveSubscription{"b"}}));
  EXPECT_THAT(this->catalog().subscriptions().value(), ElementsAre(other));
  EXPECT_EQ(commit(this->catalog(), {RemoveSubscription{"b"}}).error().code, Code::not_found);
}

TYPED_TEST_P(CatalogCommitSuite, WorkflowIsReplacedListedByAgeAndRemoved) {
  Workflow old{.name = "a", .created = from_micros(2), .changed = from_micros(2), .steps = {"x"}, .document = {}};
  Workflow fresh{.name = "a", .created = from_micros(2), .changed = from_micros(4), .steps = {"y", "x"}, .document = {{"name", "a"}}};
  Workflow elder{.name = "b", .created = from_micros(1), .changed = from_micros(1), .steps = {}, .document = {}};
  ASSERT_TRUE(commit(this->catalog(), {PutWorkflow{old}, PutWorkflow{elder}, PutWorkflow{fresh}}));
  this->subject_.reopen();
  EXPECT_EQ(this->catalog().find_workflow("a").value(), fresh);
  EXPECT_EQ(this->catalog().find_workflow("c").value(), std::nullopt);
  EXPECT_THAT(this->catalog().list_workflows(10, 0).value(), ElementsAre(elder, fresh));
  EXPECT_THAT(this->catalog().list_workflows(1, 1).value(), ElementsAre(fresh));
  ASSERT_TRUE(commit(this->catalog(), {RemoveWorkflow{"b"}}));
  EXPECT_THAT(this->catalog().list_workflows(10, 0).value(), ElementsAre(fresh));
  EXPECT_EQ(commit(this->catalog(), {RemoveWorkflow{"b"}}).error().code, Code::not_found);
}

TYPED_TEST_P(CatalogCommitSuite, TakenNameIsAConflictThatNamesIt) {
  this->add("titanic");
  auto status = commit(this->catalog(), {AddStep{make_step(this->catalog().next_step_id(), "titanic")}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::conflict);
  EXPECT_THAT(status.error().message, HasSubstr("\"titanic\""));
}

TYPED_TEST_P(CatalogCommitSuite, RefusedBatchLeavesNothing) {
  auto taken = this->add("taken");
  auto seq = this->catalog().last_event().value();
  auto id = this->catalog().next_step_id();
  auto changed = make_revision(taken, State::running);
  auto status = commit(this->catalog(), {AddStep{make_step(id, "fresh")}, AddRevision{make_revision({id, 1})},
                                         UpdateRevision{changed}, PutSubscription{{.name = "fresh"}}, PutWorkflow{{.name = "fresh"}},
                                         PutAttempt{make_attempt(taken, 1)}, AddEvent{make_event("fresh", "accepted")},
                                         RemoveStep{taken.step}, AddStep{make_step(id, "again")}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Code::internal);
  EXPECT_FALSE(this->catalog().find_step("fresh").value());
  EXPECT_TRUE(this->catalog().find_step("taken").value());
  EXPECT_EQ(this->catalog().revision(taken).value()->state, State::queued);
  EXPECT_THAT(this->catalog().attempts(taken.step).value(), IsEmpty());
  EXPECT_THAT(this->catalog().subscriptions().value(), IsEmpty());
  EXPECT_FALSE(this->catalog().find_workflow("fresh").value());
  EXPECT_EQ(this->catalog().last_event().value(), seq);
  EXPECT_THAT(this->catalog().all_revisions().value(), ElementsAre(*this->catalog().revision(taken).value()));
}

TYPED_TEST_P(CatalogCommitSuite, RefusedBatchDoesNotTakeItsNeighboursWithIt) {
  this->add("taken");
  std::vector<Batch> batches;
  for (const auto* name : {"a", "taken", "b", "a", "c"})
    batches.push_back({AddEvent{make_event(name, "accepted")}, AddStep{make_step(this->catalog().next_step_id(), name)}});
  EXPECT_THAT(ok(commit_together(this->catalog(), std::move(batches))), ElementsAre(true, false, true, false, true));
  EXPECT_THAT(this->listed({}), ElementsAre("taken", "a", "b", "c"));
  auto events = this->catalog().events_after(0, {}, 10).value();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events.back().seq - events.front().seq, 2);  // refused ones leave no gap
}

TYPED_TEST_P(CatalogCommitSuite, TerminalRevisionNeverChanges) {
  for (auto state : {State::finished, State::failed, State::cancelled}) {
    auto key = this->add(std::string(to_string(state)), state);
    auto status = commit(this->catalog(), {UpdateRevision{make_revision(key, State::running)}});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::internal);
    EXPECT_THAT(status.error().message, HasSubstr(to_string(state)));
    EXPECT_EQ(commit(this->catalog(), {RebindParents{key, {}}}).error().code, Code::internal);
    EXPECT_EQ(this->catalog().revision(key).value()->state, state);
  }
}

TYPED_TEST_P(CatalogCommitSuite, UpdateReplacesTheWholeRecordButTheName) {
  auto key = this->add("train");
  auto revision = make_full_revision(key, "another name");
  ASSERT_TRUE(commit(this->catalog(), {UpdateRevision{revision}}));
  revision.name = "train";
  EXPECT_EQ(this->catalog().revision(key).value(), revision);
}

TYPED_TEST_P(CatalogCommitSuite, RebindChangesTheParentsAlone) {
  auto key = this->add("train", State::waiting);
  auto before = *this->catalog().revision(key).value();
  std::vector<Parent> parents{{.name = "data", .key = {7, 2}}, {.name = "model@1", .key = {8, 1}}};
  ASSERT_TRUE(commit(this->catalog(), {RebindParents{key, parents}}));
  before.parents = parents;
  EXPECT_EQ(this->catalog().revision(key).value(), before);
}

TYPED_TEST_P(CatalogCommitSuite, ChangesOfWhatIsNotThereAreNotFound) {
  auto key = this->add("train");
  RevisionKey no_revision{key.step, 9};
  RevisionKey no_step{key.step + 1000, 1};
  std::vector<Batch> batches{{AddRevision{make_revision(no_step)}},
                             {UpdateRevision{make_revision(no_revision)}},
                             {UpdateRevision{make_revision(no_step)}},
                             {RebindParents{no_revision, {}}},
                             {PutAttempt{make_attempt(no_revision, 1)}},
                             {RemoveStep{no_step.step}}};
  for (auto& batch : batches) {
    auto index = batch.front().index();
    EXPECT_EQ(commit(this->catalog(), std::move(batch)).error().code, Code::not_found) << "change " << index;
  }
}

TYPED_TEST_P(CatalogCommitSuite, TakenKeysAreDefectsOfTheCaller) {
  auto key = this->add("train");
  EXPECT_EQ(commit(this->catalog(), {AddRevision{make_revision(key)}}).error().code, Code::internal);
  EXPECT_EQ(commit(this->catalog(), {AddStep{make_step(key.step, "other")}}).error().code, Code::internal);
}

TYPED_TEST_P(CatalogCommitSuite, RemovedStepTakesRevisionsAndAttemptsButNoEvents) {
  auto key = this->add("train", State::queued, "function/python", {{"team", "blue"}});
  auto kept = this->add("kept");
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{make_revision({key.step, 2})}, PutAttempt{make_attempt(key, 1)},
                                       PutAttempt{make_attempt(kept, 1)}, AddEvent{make_event("train", "accepted")}}));
  ASSERT_TRUE(commit(this->catalog(), {RemoveStep{key.step}, AddEvent{make_event("train", "deleted")}}));
  EXPECT_FALSE(this->catalog().find_step("train").value());
  EXPECT_THAT(this->catalog().revisions(key.step).value(), IsEmpty());
  EXPECT_THAT(this->catalog().attempts(key.step).value(), IsEmpty());
  EXPECT_THAT(this->listed({.label_key = "team"}), IsEmpty());
  EXPECT_EQ(this->catalog().attempts(kept.step).value().size(), 1U);
  EXPECT_THAT(this->events(0, {.name = "train"}), ElementsAre("accepted", "deleted"));
}

TYPED_TEST_P(CatalogCommitSuite, RemovedRevisionTakesItsAttemptsAndNothingElse) {
  auto key = this->add("train", State::finished);
  RevisionKey newest{key.step, 2};
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{make_revision(newest, State::running)}, PutAttempt{make_attempt(key, 1)},
                                       PutAttempt{make_attempt(newest, 1)}}));
  ASSERT_TRUE(commit(this->catalog(), {RemoveRevision{key}}));
  EXPECT_EQ(this->catalog().revision(key).value(), std::nullopt);
  EXPECT_THAT(this->catalog().attempts(key.step).value(), ElementsAre(make_attempt(newest, 1)));
  EXPECT_TRUE(this->catalog().find_step("train").value());
  EXPECT_EQ(commit(this->catalog(), {RemoveRevision{key}}).error().code, Code::not_found);
  EXPECT_EQ(commit(this->catalog(), {RemoveRevision{newest}}).error().code, Code::internal);
}

TYPED_TEST_P(CatalogCommitSuite, ReceiptIsCommittedWithTheStepItIsForOrNotAtAll) {
  Receipt receipt{.key = "key", .request = "digest", .answer = {{"status", 201}}, .created = from_micros(5)};
  auto step = make_step(this->catalog().next_step_id(), "train");
  ASSERT_TRUE(commit(this->catalog(), {AddStep{step}, PutReceipt{receipt}}));
  auto refused = receipt;
  refused.key = "other";
  ASSERT_FALSE(commit(this->catalog(), {PutReceipt{refused}, AddStep{step}}));
  this->subject_.reopen();
  EXPECT_EQ(this->catalog().find_receipt("key").value(), receipt);
  EXPECT_EQ(this->catalog().find_receipt("other").value(), std::nullopt);
}

TYPED_TEST_P(CatalogCommitSuite, ReceiptsAreReplacedAndForgottenByAge) {
  auto receipt = [](std::string key, std::int64_t created) {
    return Receipt{.key = std::move(key), .request = "digest", .answer = {}, .created = from_micros(created)};
  };
  ASSERT_TRUE(commit(this->catalog(), {PutReceipt{receipt("a", 1)}, PutReceipt{receipt("b", 2)}, PutReceipt{receipt("c", 3)},
                                       PutReceipt{receipt("a", 4)}}));
  ASSERT_TRUE(commit(this->catalog(), {ForgetReceipts{from_micros(3)}}));
  EXPECT_EQ(this->catalog().find_receipt("a").value(), receipt("a", 4));
  EXPECT_EQ(this->catalog().find_receipt("b").value(), std::nullopt);
  EXPECT_EQ(this->catalog().find_receipt("c").value(), receipt("c", 3));
}

TYPED_TEST_P(CatalogCommitSuite, NameIsFreeAgainInTheVeryBatchThatRemovesIt) {
  auto key = this->add("train");
  auto id = this->catalog().next_step_id();
  ASSERT_TRUE(commit(this->catalog(), {RemoveStep{key.step}, AddStep{make_step(id, "train")}}));
  EXPECT_EQ(this->catalog().find_step("train").value()->id, id);
}

TYPED_TEST_P(CatalogCommitSuite, IdsAreNeverGivenTwice) {
  std::set<StepId> given;
  for (int restart = 0; restart < 3; ++restart) {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(given.insert(this->catalog().next_step_id()).second);
    auto key = this->add("short-lived");
    EXPECT_TRUE(given.insert(key.step).second);
    ASSERT_TRUE(commit(this->catalog(), {RemoveStep{key.step}}));
    this->subject_.reopen();
  }
  EXPECT_GT(this->catalog().next_step_id(), *given.rbegin());  // later steps list later
}

TYPED_TEST_P(CatalogCommitSuite, DoneComesInTheOrderOfTheCallsAndReadsSeeTheCommit) {
  constexpr int kCommits = 200;
  std::vector<int> order;
  bool all_seen = true;
  std::promise<void> ended;
  for (int i = 0; i < kCommits; ++i) {
    auto name = "step-" + std::to_string(i);
    this->catalog().commit({AddStep{make_step(this->catalog().next_step_id(), name)}}, [&, i, name](Status) {
      order.push_back(i);
      all_seen = all_seen && this->catalog().find_step(name).value().has_value();
      if (i + 1 == kCommits) ended.set_value();
    });
  }
  ended.get_future().get();
  EXPECT_EQ(order.size(), static_cast<std::size_t>(kCommits));
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_TRUE(all_seen);
}

TYPED_TEST_P(CatalogCommitSuite, DoneMayCommit) {
  std::promise<void> ended;
  this->catalog().commit({AddStep{make_step(this->catalog().next_step_id(), "parent")}}, [&](Status) {
    auto child = make_step(this->catalog().next_step_id(), "child");
    this->catalog().commit({AddStep{child}}, [&](Status) { ended.set_value(); });
  });
  ended.get_future().get();
  EXPECT_THAT(this->listed({}), ElementsAre("parent", "child"));
}

TYPED_TEST_P(CatalogCommitSuite, OneOfManyThreadsGetsTheName) {
  constexpr int kThreads = 8;
  std::vector<std::promise<bool>> won(kThreads);
  {
    std::vector<std::unique_ptr<NamedThread>> threads;
    for (auto& mine : won)
      threads.push_back(std::make_unique<NamedThread>("commit", [this, &mine] {
        auto step = make_step(this->catalog().next_step_id(), "wanted");
        this->catalog().commit({AddStep{step}}, [&](Status status) { mine.set_value(status.has_value()); });
      }));
  }
  int winners = 0;
  for (auto& one : won) winners += one.get_future().get() ? 1 : 0;
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(this->listed({}).size(), 1U);
}

REGISTER_TYPED_TEST_SUITE_P(CatalogCommitSuite, StepComesBackAsItWas, RevisionComesBackAsItWas,
                            AttemptsComeBackByRevisionThenNumber, SubscriptionIsReplacedAndRemoved,
                            WorkflowIsReplacedListedByAgeAndRemoved, TakenNameIsAConflictThatNamesIt, RefusedBatchLeavesNothing,
                            RefusedBatchDoesNotTakeItsNeighboursWithIt, TerminalRevisionNeverChanges,
                            UpdateReplacesTheWholeRecordButTheName, RebindChangesTheParentsAlone,
                            ChangesOfWhatIsNotThereAreNotFound, TakenKeysAreDefectsOfTheCaller,
                            RemovedStepTakesRevisionsAndAttemptsButNoEvents, RemovedRevisionTakesItsAttemptsAndNothingElse,
                            ReceiptIsCommittedWithTheStepItIsForOrNotAtAll, ReceiptsAreReplacedAndForgottenByAge,
                            NameIsFreeAgainInTheVeryBatchThatRemovesIt, IdsAreNeverGivenTwice, DoneComesInTheOrderOfTheCallsAndReadsSeeTheCommit, DoneMayCommit,
                            OneOfManyThreadsGetsTheName);

}  // namespace lo::catalog
