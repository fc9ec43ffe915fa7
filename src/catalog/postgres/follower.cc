#include "catalog/postgres/follower.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <utility>

#include "base/log.h"
#include "catalog/postgres/session.h"

namespace lo::catalog::postgres {
namespace {

constexpr int kAtOnce = 1000;
constexpr std::chrono::milliseconds kPause{100};   // before a connection is sought again
constexpr std::chrono::seconds kLongestQuiet{10};  // then a look without a notification, which shows whether there is still somebody

}  // namespace

Status tell_news(Reader& reader, std::atomic<std::int64_t>& told, const Follower::Listener& listener) {
  for (;;) {
    LO_ASSIGN(auto events, reader.events_after(told, {}, kAtOnce));
    if (events.empty()) return {};
    listener(events);
    told = events.back().seq;
  }
}

Follower::Follower(std::string url, std::int64_t seq, const Listener& listener)
    : url_(std::move(url)), listener_(listener), told_(seq), stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_.emplace("follower", [this] { run(); });
}

Follower::~Follower() { stop(); }

void Follower::stop() {
  stopping_ = true;
  ::eventfd_write(stop_.get(), 1);
  thread_.reset();
}

void Follower::run() {
  while (!stopping_) {
    auto status = follow();
    if (!status && std::exchange(is_listening_, false)) log::warn("catalog: no news of the other servers: {} {}", status.error().message, status.error().internal);
    pause();
  }
}

// Until the connection is lost. First LISTEN, then a look at what there is: nothing can come between.
Status Follower::follow() {
  LO_ASSIGN(auto connection, Connection::open(url_));
  LO_ASSIGN(auto channel, channel_of(connection));
  LO_TRY(connection.execute("LISTEN " + channel));
  is_listening_ = true;
  Reader reader(std::move(connection));
  while (!stopping_) {
    LO_TRY(tell_news(reader, told_, listener_));
    LO_TRY(reader.connection().await_notification(stop_.get(), kLongestQuiet));
  }
  return {};
}

void Follower::pause() {
  pollfd stop{.fd = stop_.get(), .events = POLLIN, .revents = 0};
  ::poll(&stop, 1, static_cast<int>(kPause.count()));
}

}  // namespace lo::catalog::postgres
