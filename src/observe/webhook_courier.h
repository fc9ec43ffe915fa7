// Delivers the events of all webhooks: each in order, one at a time, at least once, and each webhook by itself, so that a receiver
// which is slow or gone holds up no other. What time it is and all that takes time comes from its ports.
//
// Threads: one at a time, for the calls and for what the ports call back.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "base/async.h"
#include "base/clock.h"
#include "catalog/catalog.h"
#include "observe/webhook_message.h"
#include "observe/webhook_page.h"
#include "observe/webhook_retry.h"

namespace lo::observe {

inline constexpr std::size_t kMostWebhooks = 1000;

class WebhookCourier {
 public:
  // Each calls back once.
  struct Ports {
    std::shared_ptr<Clock> clock;
    std::function<double()> random;  // from 0 to 1
    // The next events after `seq`, of `name` unless that is empty.
    std::function<void(std::int64_t seq, const std::string& name, Callback<Result<EventPage>>)> read;
    std::function<void(Delivery, Callback<Result<Reply>>)> send;  // Code::cancelled: the server stops
    std::function<void(catalog::Batch, Callback<Status>)> save;
  };

  WebhookCourier(Ports ports, RetrySchedule schedule) : ports_(std::move(ports)), schedule_(std::move(schedule)) {}

  // Goes on where the saved ones stand. Once, at start; `newest` is the log's last event.
  void begin(std::vector<Webhook> webhooks, std::int64_t newest);

  // A new one, delivered to once it is saved, with the receipt if there is one. Code::busy when there are kMostWebhooks.
  void add(Webhook webhook, std::optional<catalog::Receipt> receipt, Callback<Status> done);

  // Ends one. What is under way is not waited for. Code::not_found.
  void remove(const std::string& id, Callback<Status> done);

  void news(std::int64_t newest);  // the log has grown
  void wake();                     // begins what is due

  // When wake() is to be called.
  std::optional<SteadyTime> next_due() const;

  // Begins nothing more, and saves where each stands.
  void close();

 private:
  struct Line {
    Webhook webhook;
    std::int64_t seen = 0;                       // what is read of the log
    std::deque<catalog::Event> waiting = {};     // read, wanted, and not in `message`
    std::optional<WebhookMessage> message = {};  // being delivered
    bool busy = false;                           // reads or sends
    std::optional<SteadyTime> due = {};          // nothing is begun before
    std::int64_t saved = 0;                      // the cursor on disk, or on its way there
    bool saving = false, changed = false;        // while one is on its way the next waits: many deliveries, one commit
  };

  Line* find(const std::string& id);
  void insert(Webhook webhook);
  void go_on(Line& line);
  void read(Line& line);
  void on_page(Line& line, Result<EventPage> page);
  void send(Line& line);
  void on_reply(Line& line, const Result<Reply>& reply);
  void rest(Line& line, Duration time) { line.due = ports_.clock->steady() + time; }
  void save(Line& line);
  void write(Line& line);
  void on_saved(Line& line, const Status& saved);

  const Ports ports_;
  const RetrySchedule schedule_;
  std::map<std::string, Line> lines_;  // by id
  std::int64_t newest_ = 0;
  bool closed_ = false;
};

}  // namespace lo::observe
