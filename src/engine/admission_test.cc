#include "engine/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lo::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kGb = 1'000'000'000;

std::vector<std::string> take_all(Admission& admission) {
  std::vector<std::string> jobs;
  while (auto grant = admission.take()) jobs.push_back(grant->job);
  return jobs;
}

TEST(Admission, FirstComeFirstServed) {
  Admission admission({.cpu = 2});
  for (const char* job : {"a", "b", "c"}) admission.push(job, "", {.cpu = 1});
  EXPECT_EQ(admission.standing("c")->place, 3);
  EXPECT_THAT(take_all(admission), ElementsAre("a", "b"));
  EXPECT_EQ(admission.standing("c")->place, 1);
  EXPECT_THAT(admission.standing("c")->short_of, ElementsAre("cpu"));
  EXPECT_FALSE(admission.standing("a"));
  admission.release("b");
  EXPECT_THAT(take_all(admission), ElementsAre("c"));
  EXPECT_EQ(admission.running(), 2U);
  EXPECT_EQ(admission.queued(), 0U);
}

TEST(Admission, ABigJobIsNotPassedByThoseThatWantWhatItWaitsFor) {
  Admission admission({.cpu = 4});
  admission.push("small", "", {.cpu = 1});
  admission.push("big", "", {.cpu = 4});
  admission.push("late", "", {.cpu = 1});
  EXPECT_THAT(take_all(admission), ElementsAre("small"));
  admission.release("small");
  EXPECT_THAT(take_all(admission), ElementsAre("big"));
}

TEST(Admission, WhoNeedsNothingOfWhatIsShortMayPass) {
  Admission admission({.cpu = 4, .memory = 8 * kGb, .gpu = 1});
  admission.push("one", "", {.cpu = 1, .gpu = 1});
  admission.push("two", "", {.cpu = 1, .gpu = 1});
  admission.push("three", "", {.cpu = 1, .gpu = 1});
  admission.push("plain", "", {.cpu = 1});
  admission.push("heavy", "", {.cpu = 1, .memory = 8 * kGb});
  admission.push("heavier", "", {.cpu = 1, .memory = 8 * kGb});
  EXPECT_THAT(take_all(admission), ElementsAre("one", "plain", "heavy"));
  EXPECT_THAT(admission.standing("two")->short_of, ElementsAre("gpu"));
  EXPECT_THAT(admission.standing("heavier")->short_of, ElementsAre("memory"));
  admission.release("one");
  EXPECT_THAT(take_all(admission), ElementsAre("two"));
}

TEST(Admission, EachHasDevicesOfItsOwn) {
  Admission admission({.cpu = 8, .gpu = 3});
  admission.push("a", "", {.cpu = 1, .gpu = 2});
  admission.push("b", "", {.cpu = 1, .gpu = 1});
  EXPECT_THAT(admission.take()->gpus, ElementsAre(0, 1));
  EXPECT_THAT(admission.take()->gpus, ElementsAre(2));
  admission.release("a");
  admission.push("c", "", {.cpu = 1, .gpu = 1});
  EXPECT_THAT(admission.take()->gpus, ElementsAre(0));
}

TEST(Admission, OneWhoComesLateDoesNotWaitForAThousandOfAnothers) {
  Admission admission({.cpu = 1});
  for (int i = 0; i < 1000; ++i) admission.push("many" + std::to_string(i), "ada", {.cpu = 1});
  EXPECT_EQ(admission.take()->job, "many0");
  admission.push("single", "bob", {.cpu = 1});
  EXPECT_EQ(admission.standing("single")->place, 1);
  EXPECT_EQ(admission.standing("many1")->place, 2);
  EXPECT_EQ(admission.standing("many999")->place, 1000);
  admission.release("many0");
  EXPECT_EQ(admission.take()->job, "single");
  admission.push("another", "bob", {.cpu = 1});
  admission.release("single");
  EXPECT_EQ(admission.take()->job, "many1");  // turn by turn
}

TEST(Admission, TheSmallerShareGoesFirst) {
  Admission admission({.cpu = 4, .gpu = 2});
  admission.push("gpu", "ada", {.cpu = 1, .gpu = 2});
  admission.push("cpu", "bob", {.cpu = 1});
  EXPECT_THAT(take_all(admission), ElementsAre("gpu", "cpu"));
  admission.push("more", "ada", {.cpu = 1});
  admission.push("other", "bob", {.cpu = 1});
  EXPECT_THAT(take_all(admission), ElementsAre("other", "more"));  // all GPUs are a larger share than a core
}

TEST(Admission, WantsAtMostWhatThereIsButNoDeviceThatThereIsNot) {
  Admission admission({.cpu = 2, .memory = kGb});
  admission.push("huge", "", {.cpu = 64, .memory = 90 * kGb});
  admission.push("never", "", {.cpu = 1, .gpu = 1});
  admission.push("plain", "", {.cpu = 1});
  EXPECT_THAT(take_all(admission), ElementsAre("huge"));
  admission.release("huge");
  EXPECT_THAT(take_all(admission), ElementsAre("plain"));
  admission.withdraw("never");
  admission.withdraw("never");
  EXPECT_EQ(admission.queued(), 0U);
}

// Random comings and goings: never more than there is, everybody is served in the end, an owner's equal jobs in their order.
TEST(Admission, HoldsItsPromisesWhateverComes) {
  auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto pick = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  for (int world = 0; world < 300; ++world) {
    const Resources capacity{.cpu = 4, .memory = 4, .gpu = 2};
    Admission admission(capacity);
    std::set<std::string> running;
    int next = 0;
    auto serve = [&] {
      while (auto grant = admission.take()) {
        running.insert(grant->job);
        EXPECT_LE(admission.used().cpu, capacity.cpu + 1e-6);
        EXPECT_LE(admission.used().memory, capacity.memory);
        EXPECT_LE(admission.used().gpu, capacity.gpu);
      }
    };
    for (int i = 0; i < 60; ++i) {
      auto id = std::to_string(next++);
      admission.push(id, std::string(1, static_cast<char>('a' + pick(0, 3))),
                     {.cpu = pick(1, 5) / 1.0, .memory = pick(0, 4), .gpu = pick(0, 2)});
      if (pick(0, 9) == 0) admission.withdraw(std::to_string(pick(0, next)));
      if (pick(0, 2) == 0) serve();
      if (!running.empty() && pick(0, 1) == 0) admission.release(running.extract(running.begin()).value());
    }
    for (int i = 0; i < 1000 && admission.queued() + running.size() > 0; ++i) {
      serve();
      ASSERT_FALSE(running.empty()) << "nobody runs and somebody waits";
      admission.release(running.extract(running.begin()).value());
    }
    EXPECT_EQ(admission.queued(), 0U);
    EXPECT_NEAR(admission.used().cpu, 0, 1e-9);
  }
}

}  // namespace
}  // namespace lo::engine
