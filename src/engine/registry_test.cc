#include "engine/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cache_key.h"
#include "engine/runner.h"

namespace lo::engine {
namespace {

using catalog::Parent;
using catalog::Revision;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RegistryTest : public testing::Test {
 protected:
  void step(StepId id, std::string name) { registry.add_step({.id = id, .name = std::move(name), .service = "dataset/csv"}); }

  void revision(StepId id, int number, State state, std::vector<Parent> parents = {}, Reason reason = Reason::none) {
    Revision revision;
    revision.key = {.step = id, .revision = number};
    revision.operation = "dataset/csv";
    revision.state = state;
    revision.reason = reason;
    revision.parents = std::move(parents);
    registry.add_revision(revision);
  }

  static Parent parent(std::string name, StepId id, int number) {
    return {.name = std::move(name), .key = {.step = id, .revision = number}};
  }

  Registry registry;
};

TEST_F(RegistryTest, BindsToTheNewestRevisionThatHasNotFailed) {
  step(1, "data");
  revision(1, 1, State::finished);
  revision(1, 2, State::waiting);
  revision(1, 3, State::failed);
  EXPECT_EQ(registry.bind("data", "/x")->key.revision, 2);
  EXPECT_EQ(registry.bind("data@1", "/x")->key.revision, 1);
}

TEST_F(RegistryTest, RefusesWhatCannotBeBoundAndSaysWhy) {
  step(1, "titanic");
  revision(1, 1, State::failed);
  EXPECT_THAT(registry.bind("titanik", "/p").error().message, HasSubstr("did you mean \"titanic\"?"));
  EXPECT_THAT(registry.bind("titanic", "/p").error().message, HasSubstr("failed"));
  EXPECT_THAT(registry.bind("titanic@7", "/p").error().message, HasSubstr("no revision 7"));
  EXPECT_THAT(registry.bind("titanic@1", "/p").error().message, HasSubstr("is failed"));
  EXPECT_THAT(registry.bind("titanic@x", "/p").error().message, HasSubstr("names no revision"));
  EXPECT_EQ(registry.bind("titanik", "/p").error().fields.front().pointer, "/p");
  EXPECT_EQ(registry.bind("titanik", "/p").error().code, Code::unacceptable);
}

TEST_F(RegistryTest, DoesNotBindToAStepThatIsBeingDeleted) {
  step(1, "data");
  revision(1, 1, State::finished);
  registry.set_leaving(1, true);
  EXPECT_FALSE(registry.bind("data", "/x"));
}

TEST_F(RegistryTest, KnowsDescendantsOverSeveralStepsAndForgetsTheDeleted) {
  step(1, "a");
  revision(1, 1, State::finished);
  step(2, "b");
  revision(2, 1, State::finished, {parent("a", 1, 1)});
  step(3, "c");
  revision(3, 1, State::finished, {parent("b", 2, 1)});
  EXPECT_THAT(registry.descendants(1), ElementsAre(2, 3));
  registry.remove_step(3);
  EXPECT_THAT(registry.descendants(1), ElementsAre(2));
  EXPECT_EQ(registry.find("c"), nullptr);
}

// b is made from a alone and from c, which is made from a too.
TEST_F(RegistryTest, OrdersDescendantsAfterWhatTheyAreMadeFrom) {
  step(1, "a");
  revision(1, 1, State::finished);
  step(3, "c");
  revision(3, 1, State::finished, {parent("a", 1, 1)});
  step(2, "b");
  revision(2, 1, State::finished, {parent("a", 1, 1), parent("c", 3, 1)});
  EXPECT_THAT(registry.descendants_in_order(1), ElementsAre(3, 2));
  EXPECT_THAT(registry.descendants_in_order(2), IsEmpty());
}

TEST_F(RegistryTest, SaysWhyAResultIsStale) {
  step(1, "a");
  revision(1, 1, State::finished);
  step(2, "b");
  revision(2, 1, State::finished, {parent("a", 1, 1)});
  EXPECT_EQ(registry.stale_because(2), std::nullopt);
  revision(1, 2, State::running);
  EXPECT_THAT(*registry.stale_because(2), HasSubstr("made from a@1, the newest is 2"));
  registry.set_state({.step = 1, .revision = 2}, State::failed, Reason::error);
  EXPECT_EQ(registry.stale_because(2), std::nullopt);
}

TEST_F(RegistryTest, StalenessGoesDownTheLine) {
  step(1, "a");
  revision(1, 1, State::finished);
  step(2, "b");
  revision(2, 1, State::finished, {parent("a", 1, 1)});
  step(3, "c");
  revision(3, 1, State::finished, {parent("b", 2, 1)});
  step(4, "fixed");
  revision(4, 1, State::finished, {parent("b@1", 2, 1)});
  revision(1, 2, State::finished);
  EXPECT_EQ(registry.stale_because(3), "made from b, which is stale: made from a@1, the newest is 2");
  EXPECT_EQ(registry.stale_because(4), std::nullopt);
  EXPECT_THAT(registry.ancestors(3), ElementsAre(2, 1));
  EXPECT_THAT(registry.ancestors(1), IsEmpty());
}

TEST_F(RegistryTest, AnInputThatCameOutTheSameMakesNothingStale) {
  step(1, "a");
  revision(1, 1, State::finished);
  registry.set_facts({.step = 1, .revision = 1}, {{kResultDigest, "d1"}});
  step(2, "b");
  revision(2, 1, State::finished, {parent("a", 1, 1)});
  revision(1, 2, State::running);
  EXPECT_TRUE(registry.stale_because(2));
  registry.set_state({.step = 1, .revision = 2}, State::finished, Reason::none);
  registry.set_facts({.step = 1, .revision = 2}, {{kResultDigest, "d1"}});
  EXPECT_EQ(registry.stale_because(2), std::nullopt);
  revision(1, 3, State::finished);
  registry.set_facts({.step = 1, .revision = 3}, {{kResultDigest, "d2"}});
  EXPECT_EQ(registry.stale_because(2), "made from a@1, the newest is 3");
}

TEST_F(RegistryTest, AFixedRevisionIsNeverStale) {
  step(1, "a");
  revision(1, 1, State::finished);
  step(2, "b");
  revision(2, 1, State::finished, {parent("a@1", 1, 1)});
  revision(1, 2, State::finished);
  EXPECT_EQ(registry.stale_because(2), std::nullopt);
}

TEST_F(RegistryTest, FindsThoseThatFailedOnlyBecauseTheirInputDid) {
  step(1, "a");
  revision(1, 1, State::failed, {}, Reason::error);
  step(2, "b");
  revision(2, 1, State::failed, {parent("a", 1, 1)}, Reason::upstream_failed);
  step(3, "c");
  revision(3, 1, State::failed, {parent("a", 1, 1)}, Reason::error);
  EXPECT_THAT(registry.failed_by_upstream(1), ElementsAre(2));
  EXPECT_THAT(registry.failed_by_upstream(3), IsEmpty());
}

TEST_F(RegistryTest, OfEqualResultsTheLatestIsTaken) {
  step(1, "data");
  auto made = [this](int number) {
    Revision revision;
    revision.key = {.step = 1, .revision = number};
    revision.state = State::finished;
    revision.ended = from_micros(number);
    revision.facts = {{kCacheKey, "k"}};
    registry.add_revision(revision);
  };
  made(2);
  made(1);  // a start reads them in any order
  EXPECT_EQ(registry.cached("k"), (RevisionKey{1, 2}));
  made(3);
  EXPECT_EQ(registry.cached("k"), (RevisionKey{1, 3}));
  EXPECT_EQ(registry.cached("other"), std::nullopt);
}

TEST_F(RegistryTest, SupersededRevisionsBeyondTheLimitCanGo) {
  step(1, "data");
  for (int number = 1; number <= 4; ++number) revision(1, number, State::finished);
  EXPECT_THAT(registry.superseded({}), IsEmpty());
  EXPECT_THAT(registry.superseded({.revisions = 4}), IsEmpty());
  EXPECT_THAT(registry.superseded({.revisions = 2}), ElementsAre(RevisionKey{1, 1}, RevisionKey{1, 2}));
  EXPECT_THAT(registry.superseded({.revisions = 0}), ElementsAre(RevisionKey{1, 1}, RevisionKey{1, 2}, RevisionKey{1, 3}));
}

TEST_F(RegistryTest, SupersededRevisionsThatEndedLongAgoCanGo) {
  step(1, "data");
  for (int number = 1; number <= 3; ++number) {
    revision(1, number, State::finished);
    registry.set_ended({1, number}, from_micros(number));
  }
  EXPECT_THAT(registry.superseded({.ended_since = from_micros(2)}), ElementsAre(RevisionKey{1, 1}));
  EXPECT_THAT(registry.superseded({.ended_since = from_micros(9)}), ElementsAre(RevisionKey{1, 1}, RevisionKey{1, 2}));
}

TEST_F(RegistryTest, WhatIsStillNeededIsNotSuperseded) {
  step(1, "data");
  revision(1, 1, State::running);    // has not ended
  revision(1, 2, State::finished);   // the newest result
  revision(1, 3, State::cancelled);  // nothing of these
  revision(1, 4, State::failed);     // the newest
  EXPECT_THAT(registry.superseded({.revisions = 0}), ElementsAre(RevisionKey{1, 3}));
}

TEST_F(RegistryTest, WhatARerunMakesAgainStays) {
  step(1, "data");
  revision(1, 1, State::finished);
  revision(1, 2, State::finished);
  for (int number = 3; number <= 4; ++number) {
    Revision typed;
    typed.key = {.step = 1, .revision = number};
    typed.operation = "transform/dataType";
    typed.state = State::finished;
    typed.parents = {parent("data", 1, number - 1)};
    registry.add_revision(typed);
  }
  EXPECT_THAT(registry.superseded({.revisions = 0}), ElementsAre(RevisionKey{1, 1}));
}

TEST_F(RegistryTest, WhatARevisionThatStaysWasMadeFromStays) {
  step(1, "data");
  step(2, "model");
  step(3, "prediction");
  for (int number = 1; number <= 3; ++number) revision(1, number, State::finished);
  revision(2, 1, State::finished, {parent("data", 1, 1)});
  revision(2, 2, State::finished, {parent("data", 1, 2)});
  revision(2, 3, State::finished, {parent("data", 1, 3)});
  revision(3, 1, State::finished, {parent("model", 2, 2)});
  EXPECT_THAT(registry.superseded({.revisions = 1}), ElementsAre(RevisionKey{1, 1}, RevisionKey{2, 1}));
}

TEST_F(RegistryTest, RemovedRevisionNoLongerUsesWhatItWasMadeFrom) {
  step(1, "data");
  step(2, "other");
  step(3, "model");
  revision(1, 1, State::finished);
  revision(2, 1, State::finished);
  revision(3, 1, State::finished, {parent("data", 1, 1), parent("other", 2, 1)});
  revision(3, 2, State::finished, {parent("other", 2, 1)});
  auto brief = *registry.find(RevisionKey{3, 1});
  registry.remove_revision({3, 1});
  EXPECT_THAT(registry.descendants(1), IsEmpty());
  EXPECT_THAT(registry.descendants(2), ElementsAre(3));
  EXPECT_EQ(registry.find("model")->newest(), 2);
  registry.restore_revision({3, 1}, brief);
  EXPECT_THAT(registry.descendants(1), ElementsAre(3));
  EXPECT_EQ(registry.bind("model@1", "/x")->key.revision, 1);
}

}  // namespace
}  // namespace lo::engine
