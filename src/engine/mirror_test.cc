#include "engine/mirror.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/io_threads.h"
#include "catalog/fake_catalog.h"
#include "catalog/testing.h"
#include "engine/schedule.h"

namespace lo::engine {
namespace {

using namespace catalog;
using ::testing::ElementsAre;
using ::testing::Pair;

// A catalog that another server writes to, and what this one knows of it.
class MirrorTest : public ::testing::Test {
 protected:
  MirrorTest() {
    catalog_.on_events([this](std::span<const Event> events) {
      if (is_heard_) mirror_.changed(events);
    });
  }
  ~MirrorTest() override {
    mirror_.stop();
    io_.stop();
  }

  MirrorPorts ports() {
    MirrorPorts ports{.executor = io_.executor(), .pool = &pool_, .catalog = &catalog_};
    ports.each_named = [this](const auto& names, const Outline&, const auto& visit_step, const auto& visit_revision) -> Status {
      std::vector<StepId> found;
      for (const auto& name : names) {
        auto step = catalog_.find_step(name).value();
        if (!step) continue;
        found.push_back(step->id);
        visit_step(*step);
      }
      for (auto id : found) {
        auto revisions = catalog_.revisions(id).value();
        for (auto& revision : revisions) visit_revision(std::move(revision));
      }
      return {};
    };
    return ports;
  }

  void commit_with_event(Batch batch, const std::string& name, const std::string& type = "accepted") {
    batch.emplace_back(AddEvent{make_event(name, type)});
    ASSERT_TRUE(commit(catalog_, std::move(batch)));
  }

  Revision revision_of(RevisionKey key, State state, std::vector<Parent> parents = {}, const std::string& digest = "") {
    auto revision = make_revision(key, state);
    revision.parents = std::move(parents);
    if (is_terminal(state)) revision.ended = from_micros(1'700'000'009'000'000);
    if (!digest.empty()) revision.facts = {{kResultDigest, digest}};
    return revision;
  }

  RevisionKey add(const std::string& name, State state = State::finished, std::vector<Parent> parents = {}) {
    auto step = make_step(catalog_.next_step_id(), name);
    commit_with_event({AddStep{step}, AddRevision{revision_of({step.id, 1}, state, std::move(parents))}}, name);
    return {step.id, 1};
  }

  std::optional<Standing> ask(const std::string& name) {
    std::promise<std::optional<Standing>> answer;
    mirror_.standing(name, [&](std::optional<Standing> standing) { answer.set_value(std::move(standing)); });
    return answer.get_future().get();
  }

  // What is said once it holds.
  template <class Holds>
  std::optional<Standing> eventually(const std::string& name, Holds holds) {
    auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      auto standing = ask(name);
      if (holds(standing)) return standing;
      if (std::chrono::steady_clock::now() > until) {
        ADD_FAILURE() << name << " never came to be so";
        return standing;
      }
    }
  }
  std::optional<Standing> known(const std::string& name) {
    return eventually(name, [](const auto& standing) { return standing.has_value(); });
  }

  IoThreads io_{2};
  BlockingPool pool_{1};
  FakeCatalog catalog_;
  Mirror mirror_{ports()};
  bool is_heard_ = true;
};

TEST_F(MirrorTest, KnowsWhatEndedBeforeItCame) {
  auto data = add("data");
  auto model = add("model", State::finished, {{.name = "data", .key = data}});
  mirror_.start();
  auto standing = known("model");
  EXPECT_EQ(standing->of, (Version{.step = model.step, .revision = 1, .state = State::finished}));
  EXPECT_FALSE(standing->stale);
  EXPECT_THAT(standing->newest_parents, ElementsAre(Pair("data", 1)));
}

TEST_F(MirrorTest, SaysNothingOfWhatHasNotEndedOrIsNotThere) {
  add("ended");
  add("runs", State::running);
  mirror_.start();
  known("ended");
  EXPECT_FALSE(ask("runs"));
  EXPECT_FALSE(ask("nobody"));
}

TEST_F(MirrorTest, HearsOfEndsAndOfWhatBecameStale) {
  auto data = add("data");
  add("model", State::finished, {{.name = "data", .key = data}});
  mirror_.start();
  known("model");
  commit_with_event({AddRevision{revision_of({data.step, 2}, State::running)}}, "data");
  eventually("data", [](const auto& standing) { return !standing; });
  commit_with_event({UpdateRevision{revision_of({data.step, 2}, State::finished, {}, "other")}}, "data", "finished");
  EXPECT_EQ(known("data")->of.revision, 2);
  EXPECT_TRUE(ask("model")->stale);
  EXPECT_THAT(ask("model")->newest_parents, ElementsAre(Pair("data", 2)));
}

TEST_F(MirrorTest, HearsOfRemovalsAndOfNamesThatAreTakenAgain) {
  auto first = add("a");
  mirror_.start();
  known("a");
  commit_with_event({RemoveStep{first.step}}, "a", "deleted");
  eventually("a", [](const auto& standing) { return !standing; });
  auto second = add("a", State::failed);
  EXPECT_EQ(known("a")->of, (Version{.step = second.step, .revision = 1, .state = State::failed}));
}

TEST_F(MirrorTest, RevisionsThatWentAreForgotten) {
  auto key = add("a");
  commit_with_event({AddRevision{revision_of({key.step, 2}, State::failed)}}, "a", "failed");
  mirror_.start();
  EXPECT_EQ(known("a")->of.revision, 2);
  commit_with_event({RemoveRevision{{key.step, 2}}}, "a", "retired");
  eventually("a", [](const auto& standing) { return standing && standing->of.revision == 1; });
}

TEST_F(MirrorTest, OneThatIsToRunAgainByItselfIsTheEnginesToTell) {
  auto step = make_step(catalog_.next_step_id(), "daily");
  auto revision = revision_of({step.id, 1}, State::finished);
  set_scheduled_for(revision.facts, from_micros(1'900'000'000'000'000));
  commit_with_event({AddStep{step}, AddRevision{revision}}, "daily");
  add("plain");
  mirror_.start();
  known("plain");
  EXPECT_FALSE(ask("daily"));
}

TEST_F(MirrorTest, OneThatStoppedKnowsNothing) {
  add("a");
  mirror_.start();
  known("a");
  mirror_.stop();
  EXPECT_FALSE(ask("a"));
  is_heard_ = false;
}

}  // namespace
}  // namespace lo::engine
