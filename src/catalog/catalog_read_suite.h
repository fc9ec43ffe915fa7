// Lists, events and recovery: see catalog_suite.h.
#pragma once

#include <atomic>

#include "catalog/catalog_fixture.h"

namespace lo::catalog {

template <class Subject>
class CatalogReadSuite : public CatalogFixture<Subject> {};

TYPED_TEST_SUITE_P(CatalogReadSuite);

TYPED_TEST_P(CatalogReadSuite, ListsOldestFirstInPages) {
  for (const auto* name : {"c", "a", "d", "b"}) this->add(name);
  EXPECT_THAT(this->listed({}), ElementsAre("c", "a", "d", "b"));
  EXPECT_THAT(this->listed({.limit = 2, .skip = 1}), ElementsAre("a", "d"));
  EXPECT_THAT(this->listed({.limit = 2, .skip = 3}), ElementsAre("b"));
  EXPECT_THAT(this->listed({.limit = 2, .skip = 4}), IsEmpty());
  EXPECT_THAT(this->listed({.limit = 0}), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, ListsByService) {
  this->add("rows", State::queued, "dataset/csv");
  this->add("code");
  this->add("more rows", State::queued, "dataset/csv");
  EXPECT_THAT(this->listed({.service = "dataset/csv"}), ElementsAre("rows", "more rows"));
  EXPECT_THAT(this->listed({.service = "dataset/csv", .skip = 1}), ElementsAre("more rows"));
  EXPECT_THAT(this->listed({.service = "dataset"}), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, ListsByTheStateOfTheNewestRevision) {
  auto patched = this->add("patched", State::failed);
  this->add("broken", State::failed);
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{make_revision({patched.step, 2}, State::running)},
                                       AddStep{make_step(this->catalog().next_step_id(), "without a revision")}}));
  EXPECT_THAT(this->listed({.state = State::failed}), ElementsAre("broken"));
  EXPECT_THAT(this->listed({.state = State::running}), ElementsAre("patched"));
  ASSERT_TRUE(commit(this->catalog(), {UpdateRevision{make_revision({patched.step, 2}, State::failed)}}));
  EXPECT_THAT(this->listed({.state = State::failed}), ElementsAre("patched", "broken"));
  EXPECT_THAT(this->listed({.service = "dataset/csv", .state = State::failed}), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, ListsByLabel) {
  this->add("a", State::queued, "dataset/csv", {{"team", "blue"}, {"stage", 3}});
  this->add("b", State::running, "dataset/csv", {{"team", "red"}});
  this->add("c", State::queued, "dataset/csv");
  EXPECT_THAT(this->listed({.label_key = "team"}), ElementsAre("a", "b"));
  EXPECT_THAT(this->listed({.label_key = "team", .label_value = "red"}), ElementsAre("b"));
  EXPECT_THAT(this->listed({.label_key = "stage", .label_value = "3"}), ElementsAre("a"));
  EXPECT_THAT(this->listed({.state = State::queued, .label_key = "team"}), ElementsAre("a"));
  EXPECT_THAT(this->listed({.label_key = "Team"}), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, ListsByLabelAndState) {
  auto patched = this->add("patched", State::finished, "dataset/csv", {{"team", "blue"}});
  this->add("plain", State::finished, "dataset/csv", {{"team", "blue"}});
  this->add("red", State::finished, "dataset/csv", {{"team", "red"}});
  this->add("code", State::finished, "function/python", {{"team", "blue"}});
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{make_revision({patched.step, 2}, State::failed)}}));
  EXPECT_THAT(this->listed({.state = State::finished, .label_key = "team", .label_value = "blue"}), ElementsAre("plain", "code"));
  EXPECT_THAT(this->listed({.state = State::failed, .label_key = "team"}), ElementsAre("patched"));
  EXPECT_THAT(this->listed({.service = "dataset/csv", .label_key = "team", .label_value = "blue", .skip = 1}), ElementsAre("plain"));
}

TYPED_TEST_P(CatalogReadSuite, ListsWhatWasTypedInPlace) {
  auto rows = this->add("rows", State::finished, "dataset/csv");
  auto columns = this->add("columns", State::finished, "transform/projection");
  this->add("untouched", State::finished, "dataset/csv");
  for (auto key : {rows, columns, columns}) {
    auto typed = make_revision({key.step, static_cast<int>(this->catalog().revisions(key.step).value().size()) + 1}, State::finished);
    typed.operation = "transform/dataType";
    ASSERT_TRUE(commit(this->catalog(), {AddRevision{typed}}));
  }
  EXPECT_THAT(this->listed({.typed_in_place = true}), ElementsAre("rows", "columns"));
  EXPECT_THAT(this->listed({.service = "dataset/csv", .typed_in_place = true}), ElementsAre("rows"));
}

TYPED_TEST_P(CatalogReadSuite, PagesFarFromTheBeginningFollowWhatIsAddedAndRemoved) {
  constexpr int kSteps = 1'200;
  std::vector<StepId> ids;
  Batch batch;
  for (int i = 0; i < kSteps; ++i) {
    auto step = make_step(this->catalog().next_step_id(), "step-" + std::to_string(i));
    step.service = i % 2 == 0 ? "dataset/csv" : "function/python";
    ids.push_back(step.id);
    batch.push_back(AddStep{step});
  }
  ASSERT_TRUE(commit(this->catalog(), std::move(batch)));
  EXPECT_THAT(this->listed({.limit = 2, .skip = 1'000}), ElementsAre("step-1000", "step-1001"));
  EXPECT_THAT(this->listed({.service = "dataset/csv", .limit = 2, .skip = 550}), ElementsAre("step-1100", "step-1102"));
  ASSERT_TRUE(commit(this->catalog(), {RemoveStep{ids[0]}, RemoveStep{ids[1'001]}}));
  this->add("last");
  EXPECT_THAT(this->listed({.limit = 2, .skip = 999}), ElementsAre("step-1000", "step-1002"));
  EXPECT_THAT(this->listed({.skip = 1'198}), ElementsAre("last"));
  EXPECT_THAT(this->listed({.skip = 1'199}), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, EventsAreNumberedInTheOrderOfCommitsOverRestarts) {
  EXPECT_EQ(this->catalog().last_event().value(), 0);
  EXPECT_EQ(this->catalog().first_event().value(), 0);
  auto told = make_event("a", "accepted");
  told.seq = 77;  // what the caller says does not count
  ASSERT_TRUE(commit(this->catalog(), {AddEvent{told}, AddEvent{make_event("b", "accepted")}}));
  this->subject_.reopen();
  ASSERT_TRUE(commit(this->catalog(), {AddEvent{make_event("a", "running")}}));
  auto events = this->catalog().events_after(0, {}, 10).value();
  ASSERT_EQ(events.size(), 3U);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].seq, static_cast<std::int64_t>(i) + 1);
  told.seq = 1;
  EXPECT_EQ(events.front(), told);
  EXPECT_EQ(this->catalog().last_event().value(), 3);
  EXPECT_EQ(this->catalog().first_event().value(), 1);
}

TYPED_TEST_P(CatalogReadSuite, EventsAreFilteredThenLimited) {
  auto labelled = make_event("b", "second");
  labelled.data = {{"labels", {{"team", "blue"}}}};
  labelled.service = "dataset/csv";
  ASSERT_TRUE(commit(this->catalog(), {AddEvent{make_event("a", "first")}, AddEvent{labelled},
                                       AddEvent{make_event("a", "third")}, AddEvent{make_event("a", "fourth")}}));
  EXPECT_THAT(this->events(0, {.name = "a"}, 2), ElementsAre("first", "third"));
  EXPECT_THAT(this->events(1, {.name = "a"}), ElementsAre("third", "fourth"));
  EXPECT_THAT(this->events(0, {.service = "dataset/csv"}), ElementsAre("second"));
  EXPECT_THAT(this->events(0, {.label_key = "team", .label_value = "blue"}), ElementsAre("second"));
  EXPECT_THAT(this->events(0, {.label_key = "team", .label_value = "red"}), IsEmpty());
  EXPECT_THAT(this->events(4), IsEmpty());
  EXPECT_THAT(this->events(0, {}, 0), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, ListenerHearsNumberedEventsBeforeDone) {
  std::vector<std::string> heard;
  this->catalog().on_events([&](std::span<const Event> events) {
    for (const auto& event : events) heard.push_back(event.type + " " + std::to_string(event.seq));
  });
  std::vector<std::string> heard_at_done;
  std::promise<void> ended;
  this->catalog().commit({AddEvent{make_event("a", "one")}, AddEvent{make_event("a", "two")}}, [&](Status) {
    heard_at_done = heard;
    ended.set_value();
  });
  ended.get_future().get();
  EXPECT_THAT(heard_at_done, ElementsAre("one 1", "two 2"));
  EXPECT_FALSE(commit(this->catalog(), {AddEvent{make_event("a", "lost")}, RemoveStep{1}}));
  EXPECT_EQ(heard.size(), 2U);  // what was refused is not told
}

TYPED_TEST_P(CatalogReadSuite, TrimKeepsTheNewestAndNeverTooFew) {
  constexpr std::int64_t kSurplus = 25;
  Batch batch;
  for (std::int64_t i = 0; i < kKeptEvents + kSurplus; ++i) batch.push_back(AddEvent{make_event("a", "progress")});
  ASSERT_TRUE(commit(this->catalog(), std::move(batch)));
  EXPECT_EQ(trim(this->catalog(), kKeptEvents + 20).value(), 5);
  EXPECT_EQ(trim(this->catalog(), 0).value(), 20);
  EXPECT_EQ(trim(this->catalog(), 0).value(), 0);
  EXPECT_EQ(this->catalog().first_event().value(), kSurplus + 1);
  this->subject_.reopen();
  ASSERT_TRUE(commit(this->catalog(), {AddEvent{make_event("a", "next")}}));
  EXPECT_EQ(this->catalog().last_event().value(), kKeptEvents + kSurplus + 1);
}

TYPED_TEST_P(CatalogReadSuite, RecoveryReadsEverythingButResults) {
  auto key = this->add("b");
  auto other = this->add("a");
  auto revision = make_full_revision({key.step, 2}, "b");
  ASSERT_FALSE(revision.result.empty());
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{revision}}));
  this->subject_.reopen();
  revision.result.clear();
  EXPECT_THAT(this->catalog().all_revisions().value(),
              ElementsAre(*this->catalog().revision(key).value(), revision, *this->catalog().revision(other).value()));
  auto steps = this->catalog().all_steps().value();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].name, "b");
  std::vector<Step> visited;
  ASSERT_TRUE(this->catalog().each_step([&](Step step) { visited.push_back(std::move(step)); }));
  EXPECT_THAT(visited, ::testing::UnorderedElementsAreArray(steps));
}

TYPED_TEST_P(CatalogReadSuite, OutlinesHaveTheMembersThatAreAskedFor) {
  auto key = this->add("b");
  auto revision = make_full_revision({key.step, 2}, "b");
  revision.request = {{"function", "response = 'schedule'"}, {"schedule", {{"cron", "0 2 * * *"}}}, {"autoUpdate", true}};
  revision.facts = {{"digest", "d\"1"}, {"other", 3}, {"scheduledFor", nullptr}};
  ASSERT_TRUE(commit(this->catalog(), {AddRevision{revision}}));
  Revision outline;
  outline.key = revision.key;
  outline.operation = revision.operation;
  outline.parents = revision.parents;
  outline.state = revision.state;
  outline.reason = revision.reason;
  outline.accepted = revision.accepted;
  outline.ended = revision.ended;
  outline.request = {{"schedule", {{"cron", "0 2 * * *"}}}, {"autoUpdate", true}};
  outline.facts = {{"digest", "d\"1"}};
  auto first = *this->catalog().revision(key).value();
  first.name = first.job = "";
  std::vector<Revision> visited;
  ASSERT_TRUE(this->catalog().each_revision({.request = {"schedule", "autoUpdate"}, .facts = {"digest", "scheduledFor"}},
                                            [&](Revision each) { visited.push_back(std::move(each)); }));
  EXPECT_THAT(visited, ::testing::UnorderedElementsAre(first, outline));
  visited.clear();
  ASSERT_TRUE(this->catalog().each_revision({.request = {"autoUpdate"}}, [&](Revision each) { visited.push_back(std::move(each)); }));
  outline.request = {{"autoUpdate", true}};
  outline.facts = {};
  EXPECT_THAT(visited, ::testing::UnorderedElementsAre(first, outline));
}

TYPED_TEST_P(CatalogReadSuite, OpenRevisionsAreThoseThatHaveNotEnded) {
  std::vector<Revision> open;
  for (auto state : {State::finished, State::running, State::failed, State::queued, State::cancelled, State::waiting, State::scheduled}) {
    auto key = this->add(std::string(to_string(state)), state);
    if (!is_terminal(state)) open.push_back(*this->catalog().revision(key).value());
  }
  EXPECT_THAT(this->catalog().open_revisions().value(), ::testing::ElementsAreArray(open));
}

TYPED_TEST_P(CatalogReadSuite, ReadersAndWritersAtOnce) {
  constexpr int kCommits = 60;
  std::atomic<bool> stop = false;
  std::atomic<int> torn = 0;
  auto read = [&] {
    while (!stop) {
      auto steps = this->catalog().all_steps().value();
      for (const auto& step : steps)
        if (this->catalog().revisions(step.id).value().size() != 1) ++torn;
    }
  };
  NamedThread one("read", read);
  NamedThread two("read", read);
  for (int i = 0; i < kCommits; ++i) this->add("step-" + std::to_string(i));
  stop = true;
  EXPECT_EQ(torn, 0);
}

// What revision 1 of a new step called `name` refers to.
inline Batch with_parts(StepId id, const std::string& name, const std::vector<std::string>& digests) {
  auto revision = make_revision({id, 1});
  json::array parts;
  for (const auto& digest : digests) parts.push_back({{"name", "rows.parquet"}, {"digest", digest}, {"bytes", 1}});
  revision.result = {{"kind", "table"}, {"parts", std::move(parts)}};
  return {AddStep{make_step(id, name)}, AddRevision{revision}};
}

TYPED_TEST_P(CatalogReadSuite, GarbageIsWhatNoRevisionRefersToAnyMore) {
  auto first = this->catalog().next_step_id();
  auto second = this->catalog().next_step_id();
  ASSERT_TRUE(commit(this->catalog(), with_parts(first, "a", {"own", "shared"})));
  ASSERT_TRUE(commit(this->catalog(), with_parts(second, "b", {"shared"})));
  EXPECT_THAT(this->catalog().live_digests().value(), ElementsAre("own", "shared"));
  ASSERT_TRUE(commit(this->catalog(), {RemoveStep{first}}));
  EXPECT_THAT(this->catalog().garbage().value(), ElementsAre("own"));
  EXPECT_THAT(this->catalog().unreferenced({"shared", "own", "unheard of"}).value(), ElementsAre("own", "unheard of"));
  ASSERT_TRUE(commit(this->catalog(), {RemoveStep{second}}));
  this->subject_.reopen();
  EXPECT_THAT(this->catalog().garbage().value(), ElementsAre("own", "shared"));
  EXPECT_THAT(this->catalog().live_digests().value(), IsEmpty());
}

TYPED_TEST_P(CatalogReadSuite, GarbageGoesWhenItIsForgottenOrReferredToAgain) {
  auto id = this->catalog().next_step_id();
  ASSERT_TRUE(commit(this->catalog(), with_parts(id, "a", {"gone", "back"})));
  ASSERT_TRUE(commit(this->catalog(), {RemoveStep{id}}));
  auto again = this->add("b");
  auto finished = make_revision(again, State::finished);
  finished.result = {{"parts", {{{"name", "content"}, {"digest", "back"}}}}};
  ASSERT_TRUE(commit(this->catalog(), {UpdateRevision{finished}}));
  EXPECT_THAT(this->catalog().garbage().value(), ElementsAre("gone"));
  ASSERT_TRUE(commit(this->catalog(), {ForgetGarbage{{"gone", "back", "unheard of"}}}));
  EXPECT_THAT(this->catalog().garbage().value(), IsEmpty());
  EXPECT_THAT(this->catalog().live_digests().value(), ElementsAre("back"));
}

TYPED_TEST_P(CatalogReadSuite, RefusedBatchMakesNoGarbage) {
  auto id = this->catalog().next_step_id();
  ASSERT_TRUE(commit(this->catalog(), with_parts(id, "a", {"kept"})));
  EXPECT_FALSE(commit(this->catalog(), {RemoveStep{id}, RemoveStep{id}}));
  EXPECT_THAT(this->catalog().garbage().value(), IsEmpty());
  EXPECT_THAT(this->catalog().live_digests().value(), ElementsAre("kept"));
}

TYPED_TEST_P(CatalogReadSuite, GarbageOfARemovedRevisionIsWhatNoOtherRefersTo) {
  auto part = [](std::string_view digest) { return json::object{{"name", digest}, {"digest", digest}, {"bytes", 5}}; };
  auto key = this->add("train", State::running);
  auto first = make_revision(key, State::finished);
  first.result = {{"parts", json::array{part("shared"), part("own")}}};
  auto second = make_revision({key.step, 2}, State::finished);
  second.result = {{"parts", json::array{part("shared")}}};
  ASSERT_TRUE(commit(this->catalog(), {UpdateRevision{first}, AddRevision{second}}));
  EXPECT_THAT(this->catalog().held_only_by({key}).value(), ElementsAre("own"));
  EXPECT_THAT(this->catalog().held_only_by({second.key}).value(), IsEmpty());
  EXPECT_THAT(this->catalog().held_only_by({key, second.key}).value(), ElementsAre("own", "shared"));
  ASSERT_TRUE(commit(this->catalog(), {RemoveRevision{key}}));
  EXPECT_THAT(this->catalog().garbage().value(), ElementsAre("own"));
}

TYPED_TEST_P(CatalogReadSuite, UsageIsAddedUpByTheValuesOfALabel) {
  auto part = [](std::string_view digest, int bytes) { return json::object{{"digest", digest}, {"bytes", bytes}}; };
  auto blue = this->add("blue", State::running, "function/python", {{"owner", "blue"}, {"stage", 3}});
  auto made = make_revision(blue, State::finished);
  made.request = {{"upload", part("file", 1000)}};
  made.result = {{"parts", json::array{part("x", 10), part("y", 5)}}};
  auto again = make_revision({blue.step, 2}, State::finished);
  again.result = {{"parts", json::array{part("x", 10)}}};
  auto second_try = make_attempt(blue, 2);
  second_try.peak_memory = 7;
  ASSERT_TRUE(commit(this->catalog(), {UpdateRevision{made}, AddRevision{again}, PutAttempt{make_attempt(blue, 1)},
                                       PutAttempt{second_try}}));
  this->add("also blue", State::queued, "function/python", {{"owner", "blue"}});
  auto nobody = this->add("nobody's", State::running);
  auto own = make_revision(nobody, State::finished);
  own.result = {{"parts", json::array{part("x", 10)}}};
  ASSERT_TRUE(commit(this->catalog(), {UpdateRevision{own}}));
  Usage of_blue{.value = "blue", .steps = 2, .revisions = 3, .attempts = 2, .cpu_seconds = 2.5, .peak_memory = std::int64_t{5} << 30, .bytes = 1015};
  Usage of_nobody{.value = "", .steps = 1, .revisions = 1, .attempts = 0, .cpu_seconds = 0, .peak_memory = 0, .bytes = 10};
  EXPECT_THAT(this->catalog().usage("owner").value(), ElementsAre(of_nobody, of_blue));
  auto by_stage = this->catalog().usage("stage").value();
  ASSERT_EQ(by_stage.size(), 2U);
  EXPECT_EQ(by_stage[1].value, "3");
  EXPECT_EQ(by_stage[1].steps, 1);
}

REGISTER_TYPED_TEST_SUITE_P(CatalogReadSuite, ListsOldestFirstInPages, ListsByService, ListsByTheStateOfTheNewestRevision,
                            ListsByLabel, ListsByLabelAndState, ListsWhatWasTypedInPlace,
                            PagesFarFromTheBeginningFollowWhatIsAddedAndRemoved, EventsAreNumberedInTheOrderOfCommitsOverRestarts, EventsAreFilteredThenLimited,
                            ListenerHearsNumberedEventsBeforeDone, TrimKeepsTheNewestAndNeverTooFew,
                            RecoveryReadsEverythingButResults, OutlinesHaveTheMembersThatAreAskedFor,
                            OpenRevisionsAreThoseThatHaveNotEnded, ReadersAndWritersAtOnce,
                            GarbageIsWhatNoRevisionRefersToAnyMore, GarbageGoesWhenItIsForgottenOrReferredToAgain,
                            RefusedBatchMakesNoGarbage, GarbageOfARemovedRevisionIsWhatNoOtherRefersTo,
                            UsageIsAddedUpByTheValuesOfALabel);

}  // namespace lo::catalog
