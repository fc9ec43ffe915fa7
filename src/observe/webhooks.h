// The webhooks of a server: the courier on a strand of the I/O threads, its reads on the BlockingPool, its saves in the catalog.
//
// Threads: all functions from any thread, start() before the others.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <random>

#include "observe/hub.h"
#include "observe/webhook_courier.h"

namespace lo::observe {

// Makes one POST, waits some seconds at most, and calls back on any thread. Does not block.
using SendDelivery = std::function<void(Delivery, Callback<Result<Reply>>)>;

class Webhooks {
 public:
  // All of them outlive the threads of `executor`; the catalog and what sends are gone before the object is.
  struct Parts {
    asio::any_io_executor executor;
    std::shared_ptr<Clock> clock;
    catalog::Catalog* catalog = nullptr;
    const Hub* hub = nullptr;
    BlockingPool* pool = nullptr;
    SendDelivery send;
  };

  Webhooks(Parts parts, RetrySchedule schedule);
  Webhooks(const Webhooks&) = delete;
  Webhooks& operator=(const Webhooks&) = delete;

  // Takes up what the catalog has. Blocks.
  Status start();

  // As WebhookCourier's; `done` runs on the strand. A new one, which has its id, is given what comes from now on.
  void add(Webhook webhook, std::optional<catalog::Receipt> receipt, Callback<Status> done);
  void remove(const std::string& id, Callback<Status> done);

  void news();   // after hub->publish()
  void close();  // the server stops: nothing more is begun

 private:
  WebhookCourier::Ports ports();
  void read(std::int64_t seq, const std::string& name, Callback<Result<EventPage>> done);
  void on_strand(std::move_only_function<void()> work);
  void set_timer();

  // `done`, called on the strand.
  template <class T>
  Callback<T> back(Callback<T> done);

  const Parts parts_;
  const Strand strand_;
  // On the strand:
  std::mt19937_64 random_{std::random_device{}()};
  WebhookCourier courier_;
  asio::steady_timer timer_;
};

}  // namespace lo::observe
