#include "observe/hub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/io_threads.h"

namespace lo::observe {
namespace {

using namespace std::chrono_literals;

catalog::Event event(std::int64_t seq, std::string name) {
  catalog::Event out;
  out.seq = seq;
  out.name = std::move(name);
  return out;
}

std::vector<std::int64_t> seqs(const News& news) {
  std::vector<std::int64_t> out;
  for (const auto& one : news.events) out.push_back(one->event.seq);
  return out;
}

TEST(Hub, GivesWhatMatchesAndRemembersWhatItHasSeen) {
  Hub hub(10, 0);
  hub.publish(std::vector{event(1, "a"), event(2, "b"), event(3, "a")});
  auto news = hub.after(0, {.name = "a"}, 10);
  EXPECT_THAT(seqs(*news), testing::ElementsAre(1, 3));
  EXPECT_EQ(news->seen, 3);
  EXPECT_EQ(hub.after(0, {.name = "b"}, 10)->seen, 3) << "what did not match is not looked at again";
}

TEST(Hub, StopsAtTheLimitWithoutSkippingAnything) {
  Hub hub(10, 0);
  hub.publish(std::vector{event(1, "a"), event(2, "a"), event(3, "a")});
  auto first = hub.after(0, {}, 2);
  EXPECT_THAT(seqs(*first), testing::ElementsAre(1, 2));
  EXPECT_THAT(seqs(*hub.after(first->seen, {}, 2)), testing::ElementsAre(3));
}

TEST(Hub, SaysWhenItDoesNotRememberThatFar) {
  Hub hub(2, 100);
  EXPECT_FALSE(hub.after(99, {}, 10));
  EXPECT_TRUE(hub.after(100, {}, 10));
  hub.publish(std::vector{event(101, "a"), event(102, "a"), event(103, "a")});
  EXPECT_FALSE(hub.after(100, {}, 10));
  EXPECT_THAT(seqs(*hub.after(101, {}, 10)), testing::ElementsAre(102, 103));
}

TEST(Hub, TellsEverybodyTheSameText) {
  Hub hub(10, 0);
  hub.publish(std::vector{event(1, "a")});
  auto first = hub.after(0, {}, 10)->events.front();
  auto second = hub.after(0, {.name = "a"}, 10)->events.front();
  EXPECT_EQ(&first->document(), &second->document());
  EXPECT_EQ(parse_json(first->document()).value().at("id"), 1);
}

TEST(Hub, DoesNotClaimToKnowWhatItWasNotTold) {
  Hub hub(10, 0);
  hub.publish(std::vector{event(1, "a"), event(2, "a")});
  hub.publish(std::vector{event(7, "a"), event(8, "a")});
  EXPECT_FALSE(hub.after(2, {}, 10));
  EXPECT_FALSE(hub.after(5, {}, 10));
  EXPECT_THAT(seqs(*hub.after(6, {}, 10)), testing::ElementsAre(7, 8));
}

class HubWait : public testing::Test {
 protected:
  ~HubWait() override { threads.stop(); }
  std::future<bool> wait(std::int64_t seq, std::chrono::milliseconds most) {
    return asio::co_spawn(asio::make_strand(threads.executor()), hub.changed(seq, most), asio::use_future);
  }
  IoThreads threads{2};
  Hub hub{10, 0};
};

TEST_F(HubWait, WakesAllWhoWait) {
  auto first = wait(0, 1h);
  auto second = wait(0, 1h);
  hub.publish(std::vector{event(1, "a")});
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(wait(0, 1h).get()) << "news from before are news";
}

TEST_F(HubWait, EndsWithoutNewsWhenTheTimeIsOver) { EXPECT_FALSE(wait(0, 1ms).get()); }

TEST_F(HubWait, EndsWhenTheHubIsClosed) {
  auto waiting = wait(0, 1h);
  hub.close();
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(wait(0, 1h).get());
}

TEST_F(HubWait, MissesNothingUnderLoad) {
  std::vector<std::future<bool>> waits;
  for (std::int64_t seq = 1; seq <= 200; ++seq) {
    for (int i = 0; i < 5; ++i) waits.push_back(wait(seq - 1, 1h));
    hub.publish(std::vector{event(seq, "a")});
  }
  for (auto& one : waits) EXPECT_TRUE(one.get());
}

}  // namespace
}  // namespace lo::observe
