#include "observe/webhooks.h"

namespace lo::observe {
namespace {

constexpr std::size_t kPage = 256;

}  // namespace

Webhooks::Webhooks(Parts parts, RetrySchedule schedule)
    : parts_(std::move(parts)),
      strand_(asio::make_strand(parts_.executor)),
      courier_(ports(), std::move(schedule)),
      timer_(strand_) {}

template <class T>
Callback<T> Webhooks::back(Callback<T> done) {
  return [this, done = std::move(done)](T value) mutable {
    on_strand([done = std::move(done), value = std::move(value)]() mutable { done(std::move(value)); });
  };
}

WebhookCourier::Ports Webhooks::ports() {
  WebhookCourier::Ports ports;
  ports.clock = parts_.clock;
  ports.random = [this] { return std::uniform_real_distribution<double>(0, 1)(random_); };
  ports.read = [this](std::int64_t seq, const std::string& name, Callback<Result<EventPage>> done) {
    read(seq, name, back(std::move(done)));
  };
  ports.send = [this](Delivery delivery, Callback<Result<Reply>> done) {
    parts_.send(std::move(delivery), back(std::move(done)));
  };
  ports.save = [this](catalog::Batch batch, Callback<Status> done) {
    parts_.catalog->commit(std::move(batch), back(std::move(done)));
  };
  return ports;
}

namespace {

EventPage page_of(const News& news) {
  EventPage page{.seen = news.seen};
  for (const auto& told : news.events) page.events.push_back(told->event);
  return page;
}

}  // namespace

// From memory where that reaches back far enough.
void Webhooks::read(std::int64_t seq, const std::string& name, Callback<Result<EventPage>> done) {
  auto news = seq <= parts_.hub->last() ? parts_.hub->after(seq, {.name = name}, kPage) : std::nullopt;
  if (news) return done(page_of(*news));
  parts_.pool->post([this, seq, name, done = std::move(done)]() mutable {
    done(read_page(*parts_.catalog, seq, name, static_cast<int>(kPage)));
  });
}

Status Webhooks::start() {
  LO_ASSIGN(auto subscriptions, parts_.catalog->subscriptions());
  std::vector<Webhook> webhooks;
  for (const auto& subscription : subscriptions)
    if (auto webhook = webhook_of(subscription)) webhooks.push_back(*std::move(webhook));
  on_strand([this, webhooks = std::move(webhooks)]() mutable { courier_.begin(std::move(webhooks), parts_.hub->last()); });
  return {};
}

void Webhooks::add(Webhook webhook, std::optional<catalog::Receipt> receipt, Callback<Status> done) {
  on_strand([this, webhook = std::move(webhook), receipt = std::move(receipt), done = std::move(done)]() mutable {
    webhook.created = parts_.clock->now();
    webhook.cursor = parts_.hub->last();
    courier_.add(std::move(webhook), std::move(receipt), std::move(done));
  });
}

void Webhooks::remove(const std::string& id, Callback<Status> done) {
  on_strand([this, id, done = std::move(done)]() mutable { courier_.remove(id, std::move(done)); });
}

void Webhooks::news() {
  on_strand([this] { courier_.news(parts_.hub->last()); });
}

void Webhooks::close() {
  on_strand([this] { courier_.close(); });
}

void Webhooks::on_strand(std::move_only_function<void()> work) {
  asio::post(strand_, [this, work = std::move(work)]() mutable {
    work();
    set_timer();
  });
}

void Webhooks::set_timer() {
  auto next = courier_.next_due();
  if (!next) return;
  timer_.expires_at(*next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    courier_.wake();
    set_timer();
  });
}

}  // namespace lo::observe
