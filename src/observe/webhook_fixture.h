// A courier whose time, receivers and catalog the test holds in its hand.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "catalog/fake_catalog.h"
#include "catalog/testing.h"
#include "observe/webhook_courier.h"
#include "observe/webhook_signature.h"

namespace lo::observe {

class WebhookTest : public testing::Test {
 protected:
  struct Sent {
    Delivery delivery;
    Callback<Result<Reply>> reply;

    std::string header(const std::string& name) const {
      for (const auto& [key, value] : delivery.headers)
        if (key == name) return value;
      return "";
    }
    std::string id() const { return header("webhook-id"); }
    json::object body() const { return parse_json_object(delivery.body).value(); }
    std::int64_t event() const { return body().at("data").at("id").as_int64(); }
  };

  WebhookTest() { start(); }

  // A server that begins with what the catalog has; whatever the one before had under way is lost.
  void start() {
    sent.clear();
    courier.reset();
    catalog.reset();
    catalog = std::make_unique<catalog::FakeCatalog>(catalog::FakeCatalog::Mode::immediate, memory);
    courier = std::make_unique<WebhookCourier>(ports(), schedule);
    std::vector<Webhook> webhooks;
    auto subscriptions = catalog->subscriptions().value();
    for (const auto& subscription : subscriptions) webhooks.push_back(webhook_of(subscription).value());
    courier->begin(std::move(webhooks), catalog->last_event().value());
  }

  WebhookCourier::Ports ports() {
    WebhookCourier::Ports out;
    out.clock = clock;
    out.random = [] { return 0.5; };  // no jitter
    out.read = [this](std::int64_t seq, const std::string& name, Callback<Result<EventPage>> done) {
      done(read_page(*catalog, seq, name, 4));
    };
    out.send = [this](Delivery delivery, Callback<Result<Reply>> done) {
      sent.push_back({std::move(delivery), std::move(done)});
    };
    out.save = [this](catalog::Batch batch, Callback<Status> done) {
      ++saves;
      catalog->commit(std::move(batch), std::move(done));
    };
    return out;
  }

  std::string add(Webhook webhook = {}) {
    webhook.id = make_webhook_id();
    if (webhook.url.empty()) webhook.url = "http://receiver/" + webhook.id;
    webhook.secret = make_webhook_secret();
    webhook.cursor = catalog->last_event().value();
    Status added = fail(Code::internal, "not called");
    courier->add(webhook, {}, [&](Status status) { added = std::move(status); });
    EXPECT_TRUE(added);
    return webhook.id;
  }

  // Something happens to a step, and the courier hears of it.
  void happen(const std::string& type, const std::string& name = "a") {
    ASSERT_TRUE(catalog::commit(*catalog, {catalog::AddEvent{catalog::make_event(name, type)}}));
    courier->news(catalog->last_event().value());
  }

  // Answers what was sent first and is not answered yet.
  void answer(Result<Reply> reply) {
    ASSERT_FALSE(sent.empty());
    auto first = std::move(sent.front());
    sent.pop_front();
    first.reply(std::move(reply));
  }
  void answer(int status) { answer(Reply{.status = status}); }

  void pass(Duration time) {
    clock->advance(time);
    courier->wake();
  }

  Webhook saved(const std::string& id) {
    auto subscriptions = catalog->subscriptions().value();
    for (const auto& subscription : subscriptions)
      if (subscription.name == id) return webhook_of(subscription).value();
    ADD_FAILURE() << "there is no " << id;
    return {};
  }

  const std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  const std::shared_ptr<catalog::Memory> memory = catalog::make_memory();
  RetrySchedule schedule{.delays = {std::chrono::seconds(5), std::chrono::minutes(5)}, .jitter = 0.1};
  std::unique_ptr<catalog::FakeCatalog> catalog;
  std::deque<Sent> sent;  // and not answered
  int saves = 0;
  std::unique_ptr<WebhookCourier> courier;
};

}  // namespace lo::observe
