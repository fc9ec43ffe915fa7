#include "api/profiles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/this_coro.hpp>
#include <deque>
#include <map>
#include <stop_token>
#include <utility>

#include "base/mutex.h"
#include "dataset/profile.h"

namespace lo::api {
namespace {

constexpr int kAtOnce = 2;

using Made = Result<std::shared_ptr<const json::object>>;

// One that is being made, or waits for that.
struct Order {
  std::filesystem::path table;
  std::vector<std::string> fields;
  std::string key;
  std::stop_source stop = {};
  std::vector<Callback<Made>> waiting = {};
  std::size_t wanted = 0;  // by so many of those
};

// Names of fields hold any character.
std::string key_of(const std::filesystem::path& table, const std::vector<std::string>& fields) {
  return write_json(json::array{table.string(), json::value_from(fields)});
}

}  // namespace

class Profiles::Shared : public std::enable_shared_from_this<Shared> {
 public:
  Shared(BlockingPool& pool, std::size_t most_bytes) : pool_(pool), cache_(most_bytes) {}

  // Gives what leave() takes.
  std::shared_ptr<Order> order(std::filesystem::path table, std::vector<std::string> fields, Callback<Made> done) {
    auto key = key_of(table, fields);
    MutexLock lock(mutex_);
    auto& order = orders_[key];
    if (!order) {
      order = std::make_shared<Order>(Order{.table = std::move(table), .fields = std::move(fields), .key = std::move(key)});
      if (closed_) order->stop.request_stop();
      queue_.push_back(order);
    }
    order->waiting.push_back(std::move(done));
    ++order->wanted;
    auto given = order;
    begin();
    return given;
  }

  void leave(Order& order) {
    MutexLock lock(mutex_);
    if (--order.wanted > 0) return;
    order.stop.request_stop();
    forget(order);
  }

  void close() {
    MutexLock lock(mutex_);
    closed_ = true;
    for (auto& [key, order] : orders_) order->stop.request_stop();
  }

 private:
  void begin() LO_REQUIRES(mutex_) {
    while (running_ < kAtOnce && !queue_.empty()) {
      ++running_;
      auto order = std::move(queue_.front());
      queue_.pop_front();
      pool_.post([self = shared_from_this(), order] { self->make(*order); });
    }
  }

  // On the pool.
  void make(Order& order) {
    auto found = dataset::profile(order.table, order.fields, order.stop.get_token(), &cache_);
    Made made = found ? Made(std::make_shared<const json::object>(*std::move(found))) : Made(std::unexpected(found.error()));
    for (auto& done : end(order)) done(made);
  }

  std::vector<Callback<Made>> end(Order& order) {
    MutexLock lock(mutex_);
    --running_;
    forget(order);
    begin();
    return std::move(order.waiting);
  }

  // Who asks from now on asks anew.
  void forget(const Order& order) LO_REQUIRES(mutex_) {
    auto found = orders_.find(order.key);
    if (found != orders_.end() && found->second.get() == &order) orders_.erase(found);
  }

  BlockingPool& pool_;
  dataset::ProfileCache cache_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<Order>> orders_ LO_GUARDED_BY(mutex_);  // that one can join
  std::deque<std::shared_ptr<Order>> queue_ LO_GUARDED_BY(mutex_);
  int running_ LO_GUARDED_BY(mutex_) = 0;
  bool closed_ LO_GUARDED_BY(mutex_) = false;
};

Profiles::Profiles(BlockingPool& pool, std::size_t most_bytes) : shared_(std::make_shared<Shared>(pool, most_bytes)) {}

Profiles::~Profiles() { close(); }

void Profiles::close() { shared_->close(); }

Awaitable<Made> Profiles::of(std::filesystem::path table, std::vector<std::string> fields) {
  auto shared = shared_;
  auto slot = (co_await asio::this_coro::cancellation_state).slot();
  auto start = [&](Callback<Made> done) {
    auto order = shared->order(std::move(table), std::move(fields), std::move(done));
    if (slot.is_connected()) slot.assign([shared, order](asio::cancellation_type) { shared->leave(*order); });
  };
  auto made = co_await await_callback<Made>(start);
  if (slot.is_connected()) slot.clear();
  co_return made;
}

}  // namespace lo::api
