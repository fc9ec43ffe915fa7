#include "observe/webhook_courier.h"

#include "observe/webhook_fixture.h"

namespace lo::observe {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(WebhookTest, EventsComeInOrderOneAtATime) {
  auto id = add();
  for (auto type : {"accepted", "queued", "running", "progress", "progress", "finished"}) happen(type);
  for (std::int64_t seq = 1; seq <= 6; ++seq) {
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent.front().event(), seq);
    answer(200 + static_cast<int>(seq));
  }
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(saved(id).cursor, 6);
}

TEST_F(WebhookTest, OnlyWhatHappensAfterItWasAdded) {
  happen("accepted");
  add();
  EXPECT_TRUE(sent.empty());
  happen("finished");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().event(), 2);
}

TEST_F(WebhookTest, AMessageIsTheSpecifications) {
  auto id = add();
  happen("finished", "mine");
  const auto& first = sent.front();
  auto body = first.body();
  EXPECT_EQ(body.at("type"), "step.finished");
  EXPECT_EQ(body.at("timestamp"), "2023-11-14T22:13:24.000000Z");
  EXPECT_EQ(body.at("data").at("event"), "finished");
  EXPECT_EQ(first.header("Content-Type"), "application/json");
  EXPECT_EQ(first.header("webhook-timestamp"), "1700000000");
  EXPECT_EQ(first.id(), "msg_" + id.substr(8) + "_1");
  EXPECT_EQ(first.header("webhook-signature"),
            webhook_signature(saved(id).secret, first.id(), 1'700'000'000, first.delivery.body));
}

TEST_F(WebhookTest, AFailedCallIsMadeAgainAfterTheDelayWithTheSameIdAndANewTimestamp) {
  auto id = add();
  happen("finished");
  auto message = sent.front().id();
  answer(500);
  EXPECT_EQ(saved(id).failures, 1);
  EXPECT_THAT(saved(id).error, HasSubstr("500"));
  EXPECT_EQ(saved(id).next_try, clock->now() + 5s);
  EXPECT_EQ(courier->next_due(), clock->steady() + 5s);
  pass(4999ms);
  EXPECT_TRUE(sent.empty());
  happen("deleted");
  EXPECT_TRUE(sent.empty()) << "news do not shorten it";
  pass(1ms);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().id(), message);
  EXPECT_EQ(sent.front().header("webhook-timestamp"), "1700000005");
  answer(204);
  EXPECT_EQ(saved(id).failures, 0);
  EXPECT_EQ(saved(id).error, "");
  EXPECT_EQ(sent.front().event(), 2);
}

TEST_F(WebhookTest, EveryFailureIsTriedAgainUntilTheScheduleEnds) {
  auto id = add();
  happen("finished");
  answer(302);
  pass(5s);
  answer(fail(Code::timeout, "no answer within 15 s"));
  EXPECT_EQ(saved(id).next_try, clock->now() + 5min);
  pass(5min);
  answer(404);
  EXPECT_THAT(saved(id).disabled, HasSubstr("3 tries"));
  EXPECT_FALSE(saved(id).next_try);
  EXPECT_FALSE(courier->next_due());
  happen("deleted");
  pass(24h);
  EXPECT_TRUE(sent.empty());
}

TEST_F(WebhookTest, GoneDisablesAtOnce) {
  auto id = add();
  happen("running");
  happen("finished");
  answer(410);
  EXPECT_THAT(saved(id).disabled, HasSubstr("410"));
  EXPECT_TRUE(sent.empty());
  start();
  pass(24h);
  EXPECT_TRUE(sent.empty());
}

TEST_F(WebhookTest, RetryAfterIsKeptTo) {
  auto id = add();
  happen("finished");
  answer(Reply{.status = 503, .retry_after = 1h});
  EXPECT_EQ(saved(id).next_try, clock->now() + 1h);
}

TEST_F(WebhookTest, ASlowReceiverHoldsUpNoOther) {
  auto slow = add({.url = "http://slow/"});
  auto fast = add({.url = "http://fast/"});
  happen("running");
  happen("finished");
  ASSERT_EQ(sent.size(), 2u);
  if (sent.front().delivery.url == "http://slow/") std::swap(sent[0], sent[1]);
  answer(200);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent.back().delivery.url, "http://fast/");
  EXPECT_EQ(sent.back().event(), 2);
  EXPECT_EQ(saved(fast).cursor, 1);
  EXPECT_EQ(saved(slow).cursor, 0);
}

TEST_F(WebhookTest, FiltersByNameTypeAndEvent) {
  add({.url = "http://name/", .filter = {.name = "b"}});
  add({.url = "http://type/", .filter = {.service = "dataset/csv"}});
  add({.url = "http://event/", .events = {"failed", "finished"}});
  happen("running", "a");
  EXPECT_TRUE(sent.empty());
  happen("running", "b");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().delivery.url, "http://name/");
  answer(200);
  happen("finished", "a");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().delivery.url, "http://event/");
}

TEST_F(WebhookTest, WhatIsNotWantedIsPassedWithFewSaves) {
  auto id = add({.filter = {.name = "b"}});
  auto before = saves;
  for (int i = 0; i < 999; ++i) happen("progress");
  EXPECT_EQ(saves, before);
  happen("progress");
  EXPECT_EQ(saves, before + 1);
  EXPECT_EQ(saved(id).cursor, 1000);
  happen("progress");
  courier->close();
  EXPECT_EQ(saved(id).cursor, 1001);
}

TEST_F(WebhookTest, AfterACrashTheFirstThatWasNotAnsweredComesAgainWithItsId) {
  add();
  happen("running");
  happen("finished");
  answer(200);
  ASSERT_EQ(sent.size(), 1u);
  auto second = sent.front().id();
  start();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().id(), second);
  answer(200);
  start();
  EXPECT_TRUE(sent.empty());
}

TEST_F(WebhookTest, AfterACrashADelayGoesOnAndTriesAreCounted) {
  auto id = add();
  happen("finished");
  answer(500);
  pass(3s);
  start();
  EXPECT_TRUE(sent.empty());
  pass(2s);
  answer(500);
  EXPECT_EQ(saved(id).failures, 2);
  clock->jump_wall(-1000h);
  start();
  EXPECT_LE(*courier->next_due(), clock->steady() + kLongestRetryAfter) << "a wall clock that jumped does not silence it";
}

TEST_F(WebhookTest, DeliveriesShareACommitThatIsUnderWay) {
  auto id = add();
  std::vector<Callback<Status>> commits;
  auto slow = ports();
  slow.save = [&](catalog::Batch batch, Callback<Status> done) {
    ASSERT_TRUE(catalog::commit(*catalog, std::move(batch)));
    commits.push_back(std::move(done));
  };
  courier = std::make_unique<WebhookCourier>(std::move(slow), schedule);
  courier->begin({saved(id)}, 0);
  for (int i = 0; i < 5; ++i) happen("progress");
  for (int i = 0; i < 5; ++i) answer(200);
  EXPECT_EQ(commits.size(), 1u);
  EXPECT_EQ(saved(id).cursor, 1);
  commits.front()({});
  EXPECT_EQ(commits.size(), 2u);
  EXPECT_EQ(saved(id).cursor, 5);
}

TEST_F(WebhookTest, ARemovedOneStaysRemoved) {
  auto id = add();
  happen("running");
  Status removed = fail(Code::internal, "not called");
  courier->remove(id, [&](Status status) { removed = std::move(status); });
  EXPECT_TRUE(removed);
  answer(200);
  EXPECT_TRUE(catalog->subscriptions().value().empty());
  courier->remove(id, [&](Status status) { removed = std::move(status); });
  EXPECT_EQ(removed.error().code, Code::not_found);
}

TEST_F(WebhookTest, NothingIsBegunAfterTheClose) {
  auto id = add();
  happen("running");
  courier->close();
  answer(fail(Code::cancelled, "the server stops"));
  happen("finished");
  EXPECT_TRUE(sent.empty());
  EXPECT_FALSE(courier->next_due());
  EXPECT_EQ(saved(id).failures, 0);
}

TEST_F(WebhookTest, ThereIsAMost) {
  for (std::size_t i = 0; i < kMostWebhooks; ++i) add();
  Status added;
  courier->add({.id = "webhook.more"}, {}, [&](Status status) { added = std::move(status); });
  EXPECT_EQ(added.error().code, Code::busy);
}

TEST_F(WebhookTest, AResetStandsForEventsThatAreGone) {
  auto id = add();
  catalog::Batch batch;
  for (std::int64_t i = 0; i < catalog::kKeptEvents + 3; ++i)
    batch.push_back(catalog::AddEvent{catalog::make_event("a", "progress")});
  ASSERT_TRUE(catalog::commit(*catalog, std::move(batch)));
  catalog->trim_events(0, {});
  courier->news(catalog->last_event().value());
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().body().at("type"), "reset");
  auto message = sent.front().id();
  EXPECT_EQ(sent.front().event(), 3);
  answer(500);
  start();
  pass(5s);
  EXPECT_EQ(sent.front().id(), message);
  answer(200);
  EXPECT_EQ(saved(id).cursor, 3);
  EXPECT_EQ(sent.front().event(), 4) << "those that are left follow";
}

TEST_F(WebhookTest, AnOlderCatalogThatWasPutBackIsTold) {
  auto id = add();
  happen("running");
  answer(200);
  auto webhook = saved(id);
  webhook.cursor = 70;
  ASSERT_TRUE(catalog::commit(*catalog, {catalog::PutSubscription{subscription_of(webhook)}}));
  start();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().body().at("type"), "reset");
  answer(200);
  EXPECT_EQ(saved(id).cursor, 1);
  happen("finished");
  EXPECT_EQ(sent.front().event(), 2);
}

TEST_F(WebhookTest, AReadThatFailsIsMadeAgain) {
  auto broken = ports();
  bool works = false;
  broken.read = [&](std::int64_t seq, const std::string& name, Callback<Result<EventPage>> done) {
    done(works ? read_page(*catalog, seq, name, 4) : fail(Code::io, "the disk"));
  };
  courier = std::make_unique<WebhookCourier>(std::move(broken), schedule);
  add();
  happen("running");
  EXPECT_TRUE(sent.empty());
  works = true;
  pass(*courier->next_due() - clock->steady());
  EXPECT_EQ(sent.size(), 1u);
}

}  // namespace
}  // namespace lo::observe
